# The install tree: bin/lamina, include/lamina, lib/liblamina_runtime.a, lib/cmake/Lamina, share/lamina.
include(CMakePackageConfigHelpers)

set(package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/Lamina)
install(TARGETS lamina lamina_dsl lamina_runtime EXPORT LaminaTargets)
install(EXPORT LaminaTargets NAMESPACE Lamina:: DESTINATION ${package_folder})
install(DIRECTORY dsl/lamina runtime/lamina DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h" PATTERN "*.hpp")
# For families outside Lamina, which only the command compiles.
install(DIRECTORY schedules DESTINATION ${CMAKE_INSTALL_DATADIR}/lamina/include FILES_MATCHING PATTERN "*.hpp"
        PATTERN records EXCLUDE)
install(DIRECTORY schedules/records benchmarks/suites DESTINATION ${CMAKE_INSTALL_DATADIR}/lamina)
install(FILES cmake/LaminaHelpers.cmake DESTINATION ${package_folder})
configure_package_config_file(cmake/LaminaConfig.cmake.in ${PROJECT_BINARY_DIR}/LaminaConfig.cmake
                              INSTALL_DESTINATION ${package_folder})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/LaminaConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/LaminaConfig.cmake ${PROJECT_BINARY_DIR}/LaminaConfigVersion.cmake
        DESTINATION ${package_folder})
