# Everything under ctest but the units: SQL, system, architecture, service unit, and the sanitizers' verdict.
# The interpreter is Debian's: a python3 that stands earlier in PATH has neither pytest nor psycopg.
set(python /usr/bin/python3)
set(support ${CMAKE_CURRENT_SOURCE_DIR}/support)
if(FOLLOWUPD_FULL) # tests/support/extent.py
    set(patience timeout -k 20 14000)
    set(sim_seeds 1..100000)
    list(APPEND FOLLOWUPD_TEST_ENVIRONMENT "FOLLOWUPD_FULL=1")
else()
    set(patience timeout -k 20 580)
    set(sim_seeds 1..600)
endif()
file(GLOB migrations CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/sql/migrations/*.sql)
file(GLOB sql_tests CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/sql/*.sql)
file(GLOB system_tests CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/system/test_*.py)

# sql: pgTAP through pg_prove; every file has a database of its own, with the schema loaded.
if(migrations)
    add_test(NAME sql COMMAND timeout -k 20 280 ${python} ${support}/run_pgtap.py ${sql_tests})
    set_tests_properties(sql PROPERTIES PROCESSORS 2)
endif()

# store_pg: the store's own tests again, this time with a PostgreSQL to speak to. One at a time: they share a database.
if(TARGET unit_store)
    add_test(NAME store_pg COMMAND timeout -k 20 280 ${python} ${support}/with_schema.py $<TARGET_FILE:unit_store>
                                   --jobs 1 --filter store_pg/*)
endif()

# system: one entry a file, so that each one's seconds are shown. timeout's SIGTERM lets the fixtures tidy up.
foreach(file ${system_tests})
    get_filename_component(name ${file} NAME_WE)
    string(REGEX REPLACE "^test_" "system_" name ${name})
    add_test(NAME ${name} COMMAND ${patience} ${python} -m pytest -q -p no:cacheprovider --durations=5 ${file})
    set_tests_properties(${name} PROPERTIES WORKING_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR}/system)
endforeach()

# sim: the engine by seed, judged by a program of its own (tests/sim). More: tests/sim/run.sh sim FIRST..LAST
add_test(NAME sim COMMAND ${patience} ${CMAKE_CURRENT_SOURCE_DIR}/sim/run.sh $<TARGET_FILE:sim> ${sim_seeds})
add_test(NAME sim_repeats COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/sim/repeats.sh $<TARGET_FILE:sim> 7 80 1000003)

# controls: planted bugs, each of which a test must catch. Here only: they apply and name a test. All: tests/controls/run
add_test(NAME controls COMMAND ${python} ${CMAKE_CURRENT_SOURCE_DIR}/controls/run --check)

# fuzz: libFuzzer is clang's, so the targets of tests/fuzz and what they link have a build of their own, with its sanitizers.
# Each replays its corpus, then looks further for a while. Only beside the other sanitizers: once is enough.
if(FOLLOWUPD_SANITIZE)
    find_program(clang NAMES clang clang-14 REQUIRED)
    include(ExternalProject)
    set(fuzz_build ${CMAKE_BINARY_DIR}/fuzz)
    ExternalProject_Add(fuzz
        SOURCE_DIR ${PROJECT_SOURCE_DIR}
        BINARY_DIR ${fuzz_build}
        CMAKE_ARGS -DCMAKE_C_COMPILER=${clang} -DCMAKE_BUILD_TYPE=Debug -DFOLLOWUPD_FUZZ=ON -DFOLLOWUPD_TESTS=OFF
        BUILD_COMMAND "$(MAKE)" fuzz # with the jobs of the make around it
        BUILD_ALWAYS ON
        INSTALL_COMMAND "")
    if(FOLLOWUPD_FULL)
        set(fuzz_seconds 600)
    else()
        set(fuzz_seconds 5)
    endif()
    file(GLOB fuzz_targets CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/fuzz/*.c)
    foreach(file ${fuzz_targets})
        get_filename_component(name ${file} NAME_WE)
        add_test(NAME fuzz_${name} COMMAND ${patience} ${CMAKE_CURRENT_SOURCE_DIR}/fuzz/run.sh ${fuzz_build}/bin/fuzz_${name}
                                           ${fuzz_seconds})
    endforeach()
endif()

# layers: the includes of every folder against the link lines.
add_test(NAME layers COMMAND ${python} ${support}/check_layers.py ${PROJECT_SOURCE_DIR})
add_test(NAME layers_self_test COMMAND ${python} ${support}/check_layers.py --self-test)

# systemd_unit: systemd's own checks of the service unit, with the program that was built.
if(TARGET followupd)
    add_test(NAME systemd_unit COMMAND ${support}/systemd/check_unit.sh ${PROJECT_SOURCE_DIR}/systemd/followupd.service
                                       $<TARGET_FILE:followupd> ${PROJECT_SOURCE_DIR}/docs/man)
endif()

# Sanitizers: every process of every test, units and daemons alike, reports into one folder. A leak does not change the
# exit status of a Criterion program, so the folder is looked at after everything else: sanitizer_reports. leak_control
# leaks, into a folder of its own, and fails unless that is noticed.
if(FOLLOWUPD_SANITIZE)
    set(reports ${CMAKE_BINARY_DIR}/sanitizer-reports)
    list(APPEND FOLLOWUPD_TEST_ENVIRONMENT
         "ASAN_OPTIONS=detect_leaks=1:detect_stack_use_after_return=1:strict_string_checks=1:log_path=${reports}/report"
         "UBSAN_OPTIONS=print_stacktrace=1:log_path=${reports}/report")
    add_executable(leak_control ${support}/leak_control.c)
    target_link_libraries(leak_control PRIVATE PkgConfig::criterion)
    add_test(NAME leak_control
             COMMAND ${support}/leak_control.sh $<TARGET_FILE:leak_control> ${CMAKE_BINARY_DIR}/leak-control-reports)
endif()

# The longest begin first: ctest knows what a test takes from the run before, and a fresh clone has had none.
set_tests_properties(sim system_crash_points unit_sched system_engine_instants PROPERTIES COST 100)

get_property(all_tests DIRECTORY PROPERTY TESTS)
list(APPEND FOLLOWUPD_TEST_ENVIRONMENT "PYTHONDONTWRITEBYTECODE=1" "LC_ALL=C.UTF-8")
set_tests_properties(${all_tests} PROPERTIES ENVIRONMENT "${FOLLOWUPD_TEST_ENVIRONMENT}")
if(FOLLOWUPD_SANITIZE)
    set_tests_properties(${all_tests} PROPERTIES FIXTURES_REQUIRED sanitizers)
    add_test(NAME sanitizer_folder COMMAND ${support}/sanitizer_reports.sh empty ${reports})
    set_tests_properties(sanitizer_folder PROPERTIES FIXTURES_SETUP sanitizers)
    add_test(NAME sanitizer_reports COMMAND ${support}/sanitizer_reports.sh check ${reports})
    set_tests_properties(sanitizer_reports PROPERTIES FIXTURES_CLEANUP sanitizers)
endif()
