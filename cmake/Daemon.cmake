# followupd itself: src/app/main.c is its main; the rest of the folder is a library so that tests can link it.
if(EXISTS ${PROJECT_SOURCE_DIR}/src/app/main.c)
    add_executable(followupd ${PROJECT_SOURCE_DIR}/src/app/main.c)
    target_link_libraries(followupd PRIVATE followupd_app)
endif()
