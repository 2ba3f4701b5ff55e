#The whole examination is held against the model of the cloud.
target_link_libraries(unit_doctor PRIVATE cloud_model)
