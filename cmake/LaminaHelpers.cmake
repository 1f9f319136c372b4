# lamina_add_kernels and lamina_add_network: kernels as a library target.

# lamina_add_kernels(<name>
#     KERNELS "<kernel>: <problem>[; <schedule>]"...
#     [TARGETS <target>...] [RECORDS <folder>] [SCHEDULE <family[,knob:value...]>]
#     [SCHEDULES <file.cpp>...] [VARIANTS "<variant>: <family[,knob:value...]>"...] [DEPENDS <file>...])
#
# Compiles problems into a library <name>: link it, include "<name>.h". Functions are <name>_<kernel> in C and
# <name>::<kernel> in C++. With several TARGETS each kernel is compiled for each instruction set, and the best one that the
# CPU has is chosen when the app runs; the least demanding one should suit every machine. Default: all of x86-64.
#
# SCHEDULES are C++ files with schedule families of your own, which schedules then can name. Name what they include under
# DEPENDS. VARIANTS are further schedules of every kernel: beside <kernel> there is a function <kernel>_<variant> for each, and
# in C++ the table <name>::<kernel>_variants of all of them.
function(lamina_add_kernels name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "RECORDS;SCHEDULE" "KERNELS;TARGETS;SCHEDULES;VARIANTS;DEPENDS")
    _lamina_check_arguments(lamina_add_kernels ${name})
    if(NOT arg_KERNELS)
        message(FATAL_ERROR "lamina_add_kernels(${name}): KERNELS is missing, e.g. KERNELS \"blur: average_pool in=1x64x64x3 kernel_size=3\"")
    endif()
    foreach(kernel IN LISTS arg_KERNELS)
        if(NOT kernel MATCHES "^[^:=]+:") # also a misspelt keyword behind KERNELS
            message(FATAL_ERROR "lamina_add_kernels(${name}): '${kernel}' is not of the form \"<kernel>: <problem>[; <schedule>]\"")
        endif()
    endforeach()
    foreach(variant IN LISTS arg_VARIANTS)
        if(NOT variant MATCHES "^[A-Za-z_][A-Za-z0-9_]*:")
            message(FATAL_ERROR "lamina_add_kernels(${name}): '${variant}' is not of the form \"<variant>: <schedule>\"")
        endif()
    endforeach()
    list(JOIN arg_KERNELS "\n" lines)
    file(CONFIGURE OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/${name}.kernels CONTENT "${lines}\n" @ONLY)
    _lamina_add_library(${name} ${CMAKE_CURRENT_BINARY_DIR}/${name}.kernels)
endfunction()

# lamina_add_network(<name> HEADER <header> [NETWORK <variable>]
#     [LOSS <operator> [OPTIMISER sgd|adam]]
#     [TARGETS <target>...] [RECORDS <folder>] [SCHEDULE <family[,knob:value...]>] [SCHEDULES <file.cpp>...]
#     [DEPENDS <file>...])
#
# The same for each layer of a constexpr network, a variable of namespace scope in the header, and <name>::infer for the whole of
# it. The variable's default name is <name>_network, since <name> is the namespace of the kernels. The header becomes part of the
# target's include path. Name what the header includes under DEPENDS.
#
# With LOSS, softmax_cross_entropy or mean_squared_error, there are <name>::forward, backward and update as well, which train the
# network; OPTIMISER is sgd unless given.
function(lamina_add_network name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "HEADER;NETWORK;LOSS;OPTIMISER;RECORDS;SCHEDULE" "TARGETS;SCHEDULES;DEPENDS")
    _lamina_check_arguments(lamina_add_network ${name})
    if(NOT arg_HEADER)
        message(FATAL_ERROR "lamina_add_network(${name}): HEADER is missing, the C++ header with the network")
    endif()
    if(NOT arg_NETWORK)
        set(arg_NETWORK ${name}_network)
    endif()
    cmake_path(ABSOLUTE_PATH arg_HEADER NORMALIZE OUTPUT_VARIABLE header)
    if(arg_OPTIMISER AND NOT arg_LOSS)
        message(FATAL_ERROR "lamina_add_network(${name}): OPTIMISER without LOSS: only a network with a loss is trained")
    endif()
    set(training)
    if(arg_LOSS)
        list(APPEND training --loss ${arg_LOSS})
    endif()
    if(arg_OPTIMISER)
        list(APPEND training --optimiser ${arg_OPTIMISER})
    endif()
    _lamina_add_library(${name} ${header} --network ${arg_NETWORK} ${training})
    cmake_path(GET header PARENT_PATH folder)
    target_include_directories(${name} INTERFACE ${folder})
endfunction()

macro(_lamina_check_arguments function name)
    if(arg_UNPARSED_ARGUMENTS OR arg_KEYWORDS_MISSING_VALUES)
        message(FATAL_ERROR "${function}(${name}): not understood: ${arg_UNPARSED_ARGUMENTS} ${arg_KEYWORDS_MISSING_VALUES}")
    endif()
    if(NOT arg_TARGETS)
        set(arg_TARGETS x86-64-linux-avx512 x86-64-linux-avx2 x86-64-linux)
    endif()
endmacro()

# Compiles `input` with further options into a library target; reads the caller's arg_* variables.
function(_lamina_add_library name input)
    set(folder ${CMAKE_CURRENT_BINARY_DIR}/${name}-kernels)
    list(JOIN arg_TARGETS "," targets)
    set(options ${ARGN} --name ${name} --output ${folder} --target ${targets})
    if(arg_RECORDS)
        cmake_path(ABSOLUTE_PATH arg_RECORDS NORMALIZE)
        list(APPEND options --records ${arg_RECORDS})
    endif()
    if(arg_SCHEDULE)
        list(APPEND options --schedule ${arg_SCHEDULE})
    endif()
    foreach(file IN LISTS arg_SCHEDULES)
        cmake_path(ABSOLUTE_PATH file NORMALIZE)
        list(APPEND options --schedules ${file})
        list(APPEND arg_DEPENDS ${file})
    endforeach()
    foreach(variant IN LISTS arg_VARIANTS)
        list(APPEND options --variant ${variant})
    endforeach()
    if(LAMINA_SANITIZE)
        list(APPEND options --asan)
    endif()
    file(GLOB records CONFIGURE_DEPENDS ${arg_RECORDS}/*.json)
    add_custom_command(
        OUTPUT ${folder}/${name}.a ${folder}/${name}.h
        COMMAND ${CMAKE_COMMAND} -E env CXX=${CMAKE_CXX_COMPILER} $<TARGET_FILE:Lamina::lamina> compile ${input} ${options}
        DEPENDS ${input} ${arg_DEPENDS} ${records} Lamina::lamina
        COMMENT "Compiling the kernels of ${name}"
        VERBATIM)
    add_custom_target(${name}_kernels DEPENDS ${folder}/${name}.a ${folder}/${name}.h)
    add_library(${name} INTERFACE)
    add_dependencies(${name} ${name}_kernels)
    target_include_directories(${name} INTERFACE ${folder})
    target_link_libraries(${name} INTERFACE ${folder}/${name}.a Lamina::runtime)
endfunction()
