// Tensors that own their memory.
#pragma once

#include "lamina/scratch.hpp"
#include "lamina/view.hpp"

#include <memory>
#include <new>
#include <span>
#include <utility>

namespace lamina {

// A dense tensor, zero-initialised, aligned for vectors. Copies are asked for by name. Where the memory
// cannot be had or a size is not positive, data() is null, which every call refuses.
template <class T>
class Tensor {
    static_assert(!std::is_const_v<T>);

public:
    Tensor() = default;
    explicit Tensor(const Extents& shape) : data_(allocate(shape.product())), shape_(shape) {}
    Tensor(Tensor&& other) noexcept
        : data_(std::move(other.data_)), shape_(std::exchange(other.shape_, Extents{})) {}
    Tensor& operator=(Tensor&& other) noexcept {
        data_ = std::move(other.data_);
        shape_ = std::exchange(other.shape_, Extents{});
        return *this;
    }

    Tensor copy() const {
        Tensor result(shape_);
        if (result.data_)
            std::copy_n(data(), size(), result.data());
        return result;
    }

    T* data() { return data_.get(); }
    const T* data() const { return data_.get(); }
    const Extents& shape() const { return shape_; }
    std::int64_t size() const { return data_ ? shape_.product() : 0; } // in elements
    std::span<T> values() { return {data(), static_cast<std::size_t>(size())}; }
    std::span<const T> values() const { return {data(), static_cast<std::size_t>(size())}; }

    View<T> view() { return {data(), shape_}; }
    View<const T> view() const { return {data(), shape_}; }
    operator View<T>() { return view(); }
    operator View<const T>() const { return view(); }
    operator lamina_view() const { return view(); }

    // As View::at().
    template <class... Index>
    T& at(Index... index) {
        return view().at(index...);
    }
    template <class... Index>
    const T& at(Index... index) const {
        return view().at(index...);
    }

private:
    static constexpr std::align_val_t alignment{detail::scratch_alignment};
    struct Release {
        void operator()(T* data) const { ::operator delete(data, alignment); }
    };

    static T* allocate(std::int64_t count) {
        if (count < 1 || count > PTRDIFF_MAX / static_cast<std::int64_t>(sizeof(T)))
            return nullptr;
        const auto size = static_cast<std::size_t>(count);
        void* memory = ::operator new(size * sizeof(T), alignment, std::nothrow);
        if (!memory)
            return nullptr;
        T* values = static_cast<T*>(memory);
        std::uninitialized_value_construct_n(values, size);
        return values;
    }

    std::unique_ptr<T, Release> data_;
    Extents shape_;
};

} // namespace lamina
