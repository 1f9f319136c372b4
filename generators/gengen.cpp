// Halide's own command line over Lamina's generators.
#include <Halide.h>

int main(int argc, char** argv) {
    return Halide::Internal::generate_filter_main(argc, argv);
}
