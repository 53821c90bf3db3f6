# The pages that the programs print are kept in docs/man, so that they can be read and installed without running anything.
# `cmake --build BUILD --target man` writes them anew; tests/system/test_man.py fails when somebody forgot.
if(TARGET followupd AND TARGET followupctl)
    add_custom_target(man
        COMMAND followupd --print-man > ${PROJECT_SOURCE_DIR}/docs/man/followupd.conf.5
        COMMAND followupctl --print-man > ${PROJECT_SOURCE_DIR}/docs/man/followupctl.1
        COMMAND followupd --print-config > ${PROJECT_SOURCE_DIR}/followupd.conf.example
        VERBATIM)
endif()
