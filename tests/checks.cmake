# Tests of what is built as a whole: the package, the command, other CPUs and devices, the source's rules. Each is a script or
# a small program, needs no network, and works in a folder of its own in the build tree.

# lamina_check(<name> [TIMEOUT <seconds>] [COMMAND <command>...])
#
# Without COMMAND it is <name>_test.sh. Exit status 77 means skipped, and the reason is printed.
function(lamina_check name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "TIMEOUT" "COMMAND")
    if(NOT arg_COMMAND)
        set(arg_COMMAND bash ${checks_folder}/${name}_test.sh)
    endif()
    if(NOT arg_TIMEOUT)
        set(arg_TIMEOUT 300)
    endif()
    set(variables
        LAMINA=$<TARGET_FILE:lamina>
        GENGEN=$<TARGET_FILE:lamina_gengen>
        SOURCE=${PROJECT_SOURCE_DIR}
        BUILD=${PROJECT_BINARY_DIR}
        WORK=${PROJECT_BINARY_DIR}/checks/${name}
        CMAKE=${CMAKE_COMMAND}
        NINJA=${CMAKE_MAKE_PROGRAM}
        CC=${CMAKE_C_COMPILER}
        CXX=${CMAKE_CXX_COMPILER}
        HALIDE_INCLUDE=${halide_include}
        HALIDE_LIBRARY=$<TARGET_FILE:Halide::Halide>
        SANITIZED=$<IF:$<BOOL:${LAMINA_SANITIZE}>,ON,OFF>)
    add_test(NAME ${name} COMMAND ${arg_COMMAND})
    set_tests_properties(${name} PROPERTIES ENVIRONMENT "${variables}" SKIP_RETURN_CODE 77 TIMEOUT ${arg_TIMEOUT})
endfunction()

set(checks_folder ${CMAKE_CURRENT_LIST_DIR})
get_target_property(halide_include Halide::Halide INTERFACE_INCLUDE_DIRECTORIES)

lamina_check(install)
lamina_check(dispatch)
lamina_check(arm64)
lamina_check(predict)
lamina_check(opencl)
lamina_check(rungen)
lamina_check(command)
lamina_check(explain)
lamina_check(family_file)
lamina_check(tune)
lamina_check(documentation)
lamina_check(versus TIMEOUT 600)
lamina_check(example_digits TIMEOUT 900)
lamina_check(style TIMEOUT 1800)
lamina_check(bootstrap COMMAND bash ${checks_folder}/bootstrap_test.sh ${PROJECT_SOURCE_DIR})

# What must not compile is told by each compiler in its own words.
foreach(compiler IN ITEMS g++ clang++)
    find_program(checks_${compiler} ${compiler})
    if(checks_${compiler})
        lamina_check(compile_fail_${compiler} COMMAND
            sh ${checks_folder}/compile_fail_test.sh ${checks_${compiler}} ${PROJECT_SOURCE_DIR}/dsl ${checks_folder}/compile_fail)
    endif()
endforeach()
