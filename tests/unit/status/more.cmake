# Beside the unit tests: the real promtool reads what /metrics writes, and checks and runs the alert rules.
add_executable(print_sample unit/status/samples/print_sample.cpp)
target_link_libraries(print_sample PRIVATE test_support_objects)

# Debian's package prometheus has it; the environment or the cache may name another place.
find_program(PROMTOOL promtool HINTS ENV PROMTOOL_DIR)
if(DEFINED ENV{PROMTOOL})
    set(PROMTOOL $ENV{PROMTOOL})
endif()
if(PROMTOOL)
    set(prometheus_folder ${PROJECT_SOURCE_DIR}/deploy/prometheus)
    # Not a plain pipe: promtool is content with the nothing that a program which failed has written.
    add_test(NAME promtool_metrics
             COMMAND sh -c "text=$('$<TARGET_FILE:print_sample>' /metrics) && echo \"$text\" | '${PROMTOOL}' check metrics")
    add_test(NAME promtool_rules COMMAND ${PROMTOOL} check rules ${prometheus_folder}/vipd.rules.yml)
    add_test(NAME promtool_rules_behave COMMAND ${PROMTOOL} test rules vipd.rules.test.yml
             WORKING_DIRECTORY ${prometheus_folder})
    add_test(NAME promtool_configuration COMMAND ${PROMTOOL} check config ${prometheus_folder}/prometheus.yml)
    set_tests_properties(promtool_metrics promtool_rules promtool_rules_behave promtool_configuration
                         PROPERTIES TIMEOUT 60 LABELS unit)
endif()
