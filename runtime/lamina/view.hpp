// Typed views of tensors that somebody else owns.
#pragma once

#include "lamina/runtime.h"
#include "lamina/shapes.hpp"

#include <array>
#include <cstdint>
#include <initializer_list>
#include <type_traits>

namespace lamina {

// Sizes or strides in memory order, the last index contiguous. A rank beyond LAMINA_MAX_RANK is kept, without
// its further values, so that the call can refuse it.
class Extents {
public:
    constexpr Extents() = default;
    constexpr Extents(std::initializer_list<std::int64_t> values) : rank_(static_cast<int>(values.size())) {
        std::size_t count = 0;
        for (std::int64_t value : values)
            if (count < values_.size())
                values_[count++] = value;
    }
    constexpr Extents(Shape shape, Layout layout = Layout::nhwc) : rank_(4) {
        const auto order = in_memory_order(shape, layout);
        for (std::size_t i = 0; i < values_.size(); ++i)
            values_[i] = order[i];
    }

    constexpr int rank() const { return rank_; }
    constexpr std::int64_t operator[](int i) const { return values_[static_cast<std::size_t>(i)]; }
    constexpr const std::int64_t* data() const { return values_.data(); }

    // 0 where an extent is not positive or there are more than LAMINA_MAX_RANK.
    constexpr std::int64_t product() const {
        std::int64_t count = rank_ >= 1 && rank_ <= LAMINA_MAX_RANK ? 1 : 0;
        for (int i = 0; i < rank_ && count > 0; ++i)
            count = (*this)[i] < 1 ? 0 : detail::saturating_product(count, (*this)[i]);
        return count;
    }
    // Of a dense tensor of these sizes.
    constexpr Extents strides() const {
        Extents strides = *this;
        std::int64_t stride = 1;
        for (int i = (rank_ < LAMINA_MAX_RANK ? rank_ : LAMINA_MAX_RANK) - 1; i >= 0; --i) {
            strides.values_[static_cast<std::size_t>(i)] = stride;
            stride = (*this)[i] < 1 ? 0 : detail::saturating_product(stride, (*this)[i]);
        }
        return strides;
    }

    friend constexpr bool operator==(const Extents&, const Extents&) = default;

private:
    std::array<std::int64_t, LAMINA_MAX_RANK> values_{};
    int rank_ = 0;
};

namespace detail {

template <class T>
constexpr lamina_type type_of() {
    using Element = std::remove_const_t<T>;
    static_assert(std::is_same_v<Element, float> || std::is_same_v<Element, std::int32_t>,
                  "a tensor's elements are float or std::int32_t");
    return std::is_same_v<Element, float> ? LAMINA_F32 : LAMINA_I32;
}

constexpr std::int64_t offset_of(const Extents& strides,
                                 const std::array<std::int64_t, LAMINA_MAX_RANK>& index) {
    std::int64_t offset = 0;
    for (int i = 0; i < LAMINA_MAX_RANK; ++i)
        offset += strides[i] * index[static_cast<std::size_t>(i)];
    return offset;
}

} // namespace detail

// A tensor of T, or of const T, in memory or on a device. Passing it on costs nothing; a call checks it.
template <class T>
class View {
public:
    constexpr View() = default;
    constexpr View(T* data, const Extents& shape) : View(data, shape, shape.strides()) {}
    constexpr View(T* data, const Extents& shape, const Extents& strides)
        : data_(data), shape_(shape), strides_(strides) {}
    constexpr View(lamina_device_buffer* device, const Extents& shape)
        : shape_(shape), strides_(shape.strides()), device_(device) {}

    // A view that may write is also one that only reads.
    template <class U>
    requires std::is_same_v<const U, T> &&(!std::is_const_v<U>)constexpr View(const View<U>& other)
        : data_(other.data()), shape_(other.shape()), strides_(other.strides()), device_(other.device()) {}

    constexpr T* data() const { return data_; }
    constexpr const Extents& shape() const { return shape_; }
    constexpr const Extents& strides() const { return strides_; }
    constexpr std::int64_t size() const { return shape_.product(); }
    constexpr lamina_device_buffer* device() const { return device_; }

    // The element at one index per dimension, in memory order; every index must lie inside the shape.
    template <class... Index>
    constexpr T& at(Index... index) const {
        static_assert(sizeof...(Index) <= LAMINA_MAX_RANK);
        return data_[detail::offset_of(strides_, {static_cast<std::int64_t>(index)...})];
    }

    operator lamina_view() const {
        lamina_view view{};
        view.data = const_cast<std::remove_const_t<T>*>(data_); // C has one type for inputs and outputs
        view.type = detail::type_of<T>();
        view.rank = shape_.rank();
        for (int i = 0; i < LAMINA_MAX_RANK; ++i) {
            view.shape[i] = shape_[i];
            view.stride[i] = strides_[i];
        }
        view.device = device_;
        return view;
    }

private:
    T* data_ = nullptr;
    Extents shape_;
    Extents strides_;
    lamina_device_buffer* device_ = nullptr;
};

} // namespace lamina
