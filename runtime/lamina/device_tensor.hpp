// Tensors on a device.
#pragma once

#include "lamina/context.hpp"
#include "lamina/view.hpp"

#include <utility>

namespace lamina {

// Where the device has no room or there is none, is false, and the context's status says why. Kernels that
// run on a device take its view as they take one of memory, without copying.
template <class T>
class DeviceTensor {
public:
    DeviceTensor() = default;
    DeviceTensor(Context& context, const Extents& shape) : shape_(shape) {
        const lamina_view form = View<T>(static_cast<T*>(nullptr), shape);
        buffer_ = lamina_device_allocate(context.get(), &form);
    }
    DeviceTensor(DeviceTensor&& other) noexcept
        : buffer_(std::exchange(other.buffer_, nullptr)), shape_(other.shape_) {}
    DeviceTensor& operator=(DeviceTensor&& other) noexcept {
        std::swap(buffer_, other.buffer_);
        std::swap(shape_, other.shape_);
        return *this;
    }
    ~DeviceTensor() { lamina_device_release(buffer_); }

    explicit operator bool() const { return buffer_ != nullptr; }
    const Extents& shape() const { return shape_; }

    Status upload(Context& context, View<const T> from) {
        const lamina_view view = from;
        lamina_device_upload(context.get(), buffer_, &view);
        return context.status();
    }
    // Waits for the calls that write it.
    Status download(Context& context, View<T> to) const {
        const lamina_view view = to;
        lamina_device_download(context.get(), buffer_, &view);
        return context.status();
    }

    View<T> view() { return {buffer_, shape_}; }
    View<const T> view() const { return {buffer_, shape_}; }
    operator View<T>() { return view(); }
    operator View<const T>() const { return view(); }
    operator lamina_view() const { return view(); }

private:
    lamina_device_buffer* buffer_ = nullptr;
    Extents shape_;
};

} // namespace lamina
