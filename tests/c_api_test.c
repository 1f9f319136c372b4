/* The C interface from C: a kernel written by hand, called well and badly. Returns 0 where all is as
 * promised. */
#include "lamina/runtime.h"

#include <HalideRuntime.h>
#include <string.h>

static int negate(void** arguments) {
    const struct halide_buffer_t* input = (const struct halide_buffer_t*)arguments[1];
    const struct halide_buffer_t* output = (const struct halide_buffer_t*)arguments[2];
    int i;
    for (i = 0; i < input->dim[0].extent; ++i)
        ((float*)output->host)[i] = -((const float*)input->host)[i];
    return 0;
}

static const lamina_operand operands[] = {
    {"input", LAMINA_F32, 0, 1, {3}, 0},
    {"output", LAMINA_F32, 1, 1, {3}, 0},
};

static const lamina_kernel kernel = {"negate", "negate in=3", 2, operands, negate, 0, 0, {0, 0}, 0};

static int calls_well(void) {
    float in[3] = {1, 2, 3}, out[3] = {0, 0, 0};
    const int64_t shape[] = {3};
    lamina_context context;
    lamina_view views[2];
    lamina_code code;
    memset(&context, 0, sizeof context);
    views[0] = lamina_dense_view(in, LAMINA_F32, 1, shape);
    views[1] = lamina_dense_view(out, LAMINA_F32, 1, shape);
    code = lamina_call(&kernel, &context, views, 2);
    lamina_context_release(&context);
    return code == LAMINA_OK && context.message[0] == '\0' && out[0] == -1 && out[2] == -3;
}

static int is_refused(void) {
    float in[3] = {1, 2, 3}, out[3] = {7, 7, 7};
    const int64_t shape[] = {3}, wrong[] = {2};
    lamina_context context;
    lamina_view views[2];
    memset(&context, 0, sizeof context);
    views[0] = lamina_dense_view(in, LAMINA_F32, 1, shape);
    views[1] = lamina_dense_view(out, LAMINA_F32, 1, wrong);
    return lamina_call(&kernel, &context, views, 2) == LAMINA_BAD_SHAPE && context.code == LAMINA_BAD_SHAPE &&
           strcmp(context.message, "negate in=3: operand 'output': bad shape: expected 3, got 2") == 0 &&
           out[0] == 7 && strcmp(lamina_code_name(context.code), "bad shape") == 0 &&
           lamina_scratch_size(&kernel, 4) == 0;
}

int main(void) {
    return calls_well() && is_refused() ? 0 : 1;
}
