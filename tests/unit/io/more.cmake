target_link_libraries(unit_io PRIVATE vipd_io)
