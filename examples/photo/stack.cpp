#include "stack.hpp"

#include "filters.hpp"
#include "photo.hpp"

#include "photo_convolved.h"
#include "photo_correlated.h"

#include <algorithm>
#include <chrono>
#include <vector>

namespace photo {
namespace {

// The functions that the build generated for one of the two networks; both have the same operands.
struct Kernels {
    decltype(&photo_correlated::smoothed_pack) pack_smoothing, pack_edges;
    decltype(&photo_correlated::smoothed) smooth, find_edges;
    decltype(&photo_correlated::pooled) pool;
    lamina::Extents packed_smoothing, packed_edges;
};

// Calls until the time is known well enough; returns the first status that is not true, or the last one.
template <class Call>
lamina::Status time_calls(const Call& call, double& median) {
    using Clock = std::chrono::steady_clock;
    constexpr std::size_t least = 5, most = 25;
    constexpr auto enough = std::chrono::milliseconds(100);
    std::vector<double> seconds;
    lamina::Status status = call(); // touches the memory for the first time
    for (const auto start = Clock::now();
         status && seconds.size() < most && (seconds.size() < least || Clock::now() - start < enough);) {
        const auto begin = Clock::now();
        status = call();
        seconds.push_back(std::chrono::duration<double>(Clock::now() - begin).count());
    }
    std::sort(seconds.begin(), seconds.end());
    median = seconds.empty() ? 0 : seconds[seconds.size() / 2];
    return status;
}

StackResult run(const Kernels& kernels, lamina::View<const float> picture, int threads) {
    lamina::Context context(lamina::ContextOptions{.threads = threads});
    StackResult result{{},
                       lamina::Tensor<float>(correlated.layer(0).output()),
                       lamina::Tensor<float>(correlated.layer(1).output()),
                       lamina::Tensor<float>(correlated.layer(2).output())};
    lamina::Tensor<float> blur(kernels.packed_smoothing), patterns(kernels.packed_edges);
    result.status = kernels.pack_smoothing(context, smoothing_kernel(), blur);
    if (result.status)
        result.status = kernels.pack_edges(context, edge_kernel(), patterns);
    if (result.status)
        result.status = time_calls([&] { return kernels.smooth(context, picture, blur, result.smoothed); },
                                   result.seconds[0]);
    if (result.status)
        result.status =
            time_calls([&] { return kernels.find_edges(context, result.smoothed, patterns, result.edges); },
                       result.seconds[1]);
    if (result.status)
        result.status =
            time_calls([&] { return kernels.pool(context, result.edges, result.pooled); }, result.seconds[2]);
    return result;
}

} // namespace

StackResult run_correlated(lamina::View<const float> picture, int threads) {
    using namespace photo_correlated;
    return run({smoothed_pack, edges_pack, smoothed, edges, pooled, smoothed_packed_kernel_shape,
                edges_packed_kernel_shape},
               picture, threads);
}

StackResult run_convolved(lamina::View<const float> picture, int threads) {
    using namespace photo_convolved;
    return run({smoothed_pack, edges_pack, smoothed, edges, pooled, smoothed_packed_kernel_shape,
                edges_packed_kernel_shape},
               picture, threads);
}

} // namespace photo
