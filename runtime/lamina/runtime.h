/* The C interface of Lamina's runtime: what generated headers are made of, and what a C program links.
 *
 * A kernel is described by a constant lamina_kernel and called through lamina_call(), which checks every
 * operand before a byte is written. Nothing here prints, aborts, or keeps state between calls; the same
 * kernel may be called from several threads at once with a context each. */
#ifndef LAMINA_RUNTIME_H
#define LAMINA_RUNTIME_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define LAMINA_MAX_RANK 4
#define LAMINA_MAX_OPERANDS 8
#define LAMINA_MESSAGE_SIZE 1024
#define LAMINA_MAX_THREADS 1024
#define LAMINA_SCRATCH_ALIGNMENT 128

typedef enum lamina_code {
    LAMINA_OK = 0,
    LAMINA_BAD_SHAPE,       /* number of operands, rank or extents are not those of the problem */
    LAMINA_BAD_STRIDE,      /* not dense in the problem's layout */
    LAMINA_BAD_TYPE,        /* element type, or data on a device where the kernel needs them in memory */
    LAMINA_NULL_POINTER,    /* an operand or its data is missing */
    LAMINA_MISALIGNED,      /* data is not aligned to its element size */
    LAMINA_OVERLAP,         /* an output shares bytes with another operand, and not all of
                               them with the one whose memory it may be */
    LAMINA_BAD_CONTEXT,     /* thread count, scratch or allocator do not fit */
    LAMINA_OUT_OF_MEMORY,   /* the allocator gave nothing, or the kernel asked for more than its scratch */
    LAMINA_UNSUPPORTED_CPU, /* this CPU has none of the instruction sets that the kernel was built for */
    LAMINA_DEVICE_ERROR,    /* the device's driver said no */
    LAMINA_KERNEL_ERROR,    /* the kernel itself failed */
    LAMINA_BAD_FILE         /* cannot be read or written, or is not what it should be */
} lamina_code;

typedef enum lamina_type
#ifdef __cplusplus
    : int /* so that a wrong value from outside can be looked at, and refused */
#endif
{ LAMINA_F32 = 0,
  LAMINA_I32 = 1 } lamina_type;

/* A buffer on a device, see lamina_device_allocate(). */
typedef struct lamina_device_buffer lamina_device_buffer;

/* A tensor that somebody else owns. Shape and stride are in memory order, strides in elements; a dense
 * tensor's last stride is 1. With `device` set, the data live there and `data` may be null. */
typedef struct lamina_view {
    void* data;
    lamina_type type;
    int32_t rank;
    int64_t shape[LAMINA_MAX_RANK];
    int64_t stride[LAMINA_MAX_RANK];
    lamina_device_buffer* device;
} lamina_view;

/* Where scratch comes from when the caller gives none. allocate() returns memory aligned to `alignment`
 * bytes, or null. */
typedef struct lamina_allocator {
    void* (*allocate)(void* self, size_t size, size_t alignment);
    void (*release)(void* self, void* memory);
    void* self;
} lamina_allocator;

/* How calls run. Zero-initialised it means one thread and scratch from the C library; scratch that a call
 * allocated is kept for the next one until lamina_context_release(). One context serves one call at a time.
 */
typedef struct lamina_context {
    int32_t threads;            /* threads that a call may use, 0 means 1 */
    void* scratch;              /* the caller's scratch, aligned to LAMINA_SCRATCH_ALIGNMENT, or null */
    size_t scratch_size;        /* its bytes; a call that needs more is refused */
    lamina_allocator allocator; /* used where scratch is null; all null means malloc */
    void* kept_scratch;         /* owned by the runtime */
    size_t kept_scratch_size;
    lamina_code code;                  /* of the last call */
    char message[LAMINA_MESSAGE_SIZE]; /* why the last call failed: the problem, the operand, both shapes; ""
                                          if it did not */
} lamina_context;

typedef struct lamina_operand {
    const char* name;
    lamina_type type;
    int32_t is_output;
    int32_t rank;
    int64_t shape[LAMINA_MAX_RANK]; /* memory order; a leading 0 is an open batch, the same in every operand
                                       of a call */
    int32_t in_place_of; /* of an output: 1 + the index of the input whose memory it may be, 0: of none */
} lamina_operand;

/* What a generated header knows of a kernel. */
typedef struct lamina_kernel {
    const char* name;
    const char* problem; /* its text form */
    int32_t operand_count;
    const lamina_operand* operands;
    int (*function)(
        void** arguments);     /* Halide's argv form: user context, then one halide_buffer_t per operand */
    size_t scratch_serial;     /* bytes that a call needs outside parallel loops */
    size_t scratch_per_thread; /* bytes that each thread needs inside them */
    uint64_t cpu_features[2];  /* Halide's feature bits that the least demanding target needs */
    int32_t uses_device;       /* the kernel runs on a device: host operands are copied there and back */
} lamina_kernel;

/* Bytes of scratch that a call of `kernel` with that many threads needs. */
size_t lamina_scratch_size(const lamina_kernel* kernel, int32_t threads);

/* Checks the operands (in the kernel's order) against the kernel, then runs it. On any code but LAMINA_OK
 * that precedes the run, no output byte was written. `context` may be null: one thread, scratch allocated for
 * this call alone. */
lamina_code lamina_call(const lamina_kernel* kernel, lamina_context* context, const lamina_view* operands,
                        int32_t operand_count);

/* Frees what the runtime kept in the context, which may be used again. */
void lamina_context_release(lamina_context* context);

/* A dense view over `data`. */
lamina_view lamina_dense_view(void* data, lamina_type type, int32_t rank, const int64_t* shape);

/* The code's name, e.g. "bad shape". */
const char* lamina_code_name(lamina_code code);

/* Device memory for a dense tensor of that view's type and shape, on the device of kernels that use one
 * (OpenCL); null and a reason in the context where there is none. Upload and download copy from and to
 * view.data, and wait for the device; a call whose outputs live on the device need not have finished when
 * lamina_call() returns. */
lamina_device_buffer* lamina_device_allocate(lamina_context* context, const lamina_view* view);
lamina_code lamina_device_upload(lamina_context* context, lamina_device_buffer* buffer,
                                 const lamina_view* from);
lamina_code lamina_device_download(lamina_context* context, lamina_device_buffer* buffer,
                                   const lamina_view* to);
void lamina_device_release(lamina_device_buffer* buffer);

#ifdef __cplusplus
}
#endif

#endif
