#include "image.hpp"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <csetjmp>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <memory>
#include <string_view>
#include <system_error>

#include <unistd.h>

// After <cstdio>, which jpeglib.h needs and does not include.
#include <jerror.h>
#include <jpeglib.h>
#include <png.h>

namespace pictures {
namespace {

namespace fs = std::filesystem;
using Bytes = std::vector<std::uint8_t>;

constexpr std::uint64_t max_pixels = 64'000'000;
constexpr std::string_view png_magic = "\x89PNG\r\n\x1a\n";
constexpr std::string_view jpeg_magic = "\xff\xd8\xff";

// 3 bytes a pixel, or why not.
struct Decoded {
    std::uint32_t height = 0, width = 0;
    Bytes bytes;
    std::string error;
};

bool has_bearable_size(Decoded& decoded) {
    const std::uint64_t pixels = std::uint64_t{decoded.height} * decoded.width;
    if (pixels > 0 && pixels <= max_pixels)
        return true;
    decoded.error = "is " + std::to_string(decoded.width) + " x " + std::to_string(decoded.height) +
                    " pixels; 1 to " + std::to_string(max_pixels) + " are read";
    return false;
}

Decoded decode_png(const Bytes& file) {
    Decoded decoded;
    png_image png = {};
    png.version = PNG_IMAGE_VERSION;
    const std::unique_ptr<png_image, decltype(&png_image_free)> cleanup(&png, &png_image_free);
    if (!png_image_begin_read_from_memory(&png, file.data(), file.size())) {
        decoded.error = std::string("is a damaged PNG: ") + png.message;
        return decoded;
    }
    decoded.height = png.height;
    decoded.width = png.width;
    if (!has_bearable_size(decoded))
        return decoded;
    png.format = PNG_FORMAT_RGB;
    // Without it, libpng takes 16-bit pictures that do not say so for linear light, unlike every viewer.
    png.flags |= PNG_IMAGE_FLAG_16BIT_sRGB;
    decoded.bytes.resize(PNG_IMAGE_SIZE(png));
    const png_color white = {255, 255, 255};
    if (!png_image_finish_read(&png, &white, decoded.bytes.data(), 0, nullptr))
        decoded.error = std::string("is a damaged PNG: ") + png.message;
    return decoded;
}

// libjpeg ends the process on errors unless they jump; so no object with a destructor may be made between a
// setjmp and the calls that jump to it.
class JpegReader {
public:
    explicit JpegReader(const Bytes& file) : file_(file) {
        jpeg_.err = jpeg_std_error(&handlers_);
        jpeg_.client_data = this;
        handlers_.error_exit = [](j_common_ptr jpeg) {
            handlers_of(jpeg).format_message(jpeg, reader_of(jpeg).message_);
            std::longjmp(reader_of(jpeg).on_error_, 1);
        };
        // A file cut short is only a warning to libjpeg, which fills the rest with grey.
        handlers_.emit_message = [](j_common_ptr jpeg, int level) {
            const int code = handlers_of(jpeg).msg_code;
            if (level < 0 && (code == JWRN_JPEG_EOF || code == JWRN_HIT_MARKER))
                handlers_of(jpeg).error_exit(jpeg);
        };
    }
    JpegReader(const JpegReader&) = delete;
    JpegReader& operator=(const JpegReader&) = delete;
    ~JpegReader() { jpeg_destroy_decompress(&jpeg_); }

    const char* message() const { return message_; }
    std::uint32_t height() const { return jpeg_.image_height; }
    std::uint32_t width() const { return jpeg_.image_width; }

    bool read_header() {
        if (setjmp(on_error_) != 0)
            return false;
        jpeg_create_decompress(&jpeg_);
        jpeg_mem_src(&jpeg_, file_.data(), static_cast<unsigned long>(file_.size()));
        jpeg_read_header(&jpeg_, TRUE);
        jpeg_.out_color_space = JCS_RGB;
        return true;
    }

    // height x width x 3 bytes
    bool read_pixels(std::uint8_t* pixels) {
        if (setjmp(on_error_) != 0)
            return false;
        jpeg_start_decompress(&jpeg_);
        while (jpeg_.output_scanline < jpeg_.output_height) {
            JSAMPROW row = pixels + std::size_t{3} * jpeg_.output_width * jpeg_.output_scanline;
            jpeg_read_scanlines(&jpeg_, &row, 1);
        }
        jpeg_finish_decompress(&jpeg_);
        return true;
    }

private:
    static JpegReader& reader_of(j_common_ptr jpeg) { return *static_cast<JpegReader*>(jpeg->client_data); }
    static jpeg_error_mgr& handlers_of(j_common_ptr jpeg) { return *jpeg->err; }

    const Bytes& file_;
    jpeg_decompress_struct jpeg_ = {};
    jpeg_error_mgr handlers_ = {};
    std::jmp_buf on_error_ = {};
    char message_[JMSG_LENGTH_MAX] = "";
};

Decoded decode_jpeg(const Bytes& file) {
    Decoded decoded;
    JpegReader reader(file);
    if (reader.read_header()) {
        decoded.height = reader.height();
        decoded.width = reader.width();
        if (!has_bearable_size(decoded))
            return decoded;
        decoded.bytes.resize(std::size_t{3} * decoded.height * decoded.width);
        if (reader.read_pixels(decoded.bytes.data()))
            return decoded;
    }
    decoded.error = std::string("is a damaged JPEG, or of a kind that is not read: ") + reader.message();
    return decoded;
}

Decoded refused(std::string why) {
    return {0, 0, {}, std::move(why)};
}

Decoded decode(const Bytes& file) {
    const std::string_view start(reinterpret_cast<const char*>(file.data()),
                                 std::min<std::size_t>(file.size(), 8));
    if (start == png_magic)
        return decode_png(file);
    if (start.starts_with(jpeg_magic))
        return decode_jpeg(file);
    return refused("is neither a PNG nor a JPEG file; convert it to one of these");
}

Decoded decode_file(const fs::path& path) {
    std::error_code problem;
    const fs::file_status status = fs::status(path, problem);
    if (!fs::exists(status))
        return refused("cannot be read: " + (problem ? problem.message() : "no such file"));
    if (!fs::is_regular_file(status))
        return refused("is not a regular file");
    Bytes file(fs::file_size(path, problem));
    std::ifstream stream(path, std::ios::binary);
    if (problem ||
        !stream.read(reinterpret_cast<char*>(file.data()), static_cast<std::streamsize>(file.size())))
        return refused("cannot be read: " + std::generic_category().message(errno));
    return decode(file);
}

std::uint8_t to_byte(float value) {
    // Written so that a NaN is black, not undefined.
    const float clamped = value > 0 ? std::min(value, 1.0F) : 0.0F;
    return static_cast<std::uint8_t>(std::lround(clamped * 255.0F));
}

std::string describe(const Image& image) {
    return std::to_string(image.height) + " x " + std::to_string(image.width) + " x " +
           std::to_string(image.channels) + " with " + std::to_string(image.pixels.size()) + " values";
}

bool is_consistent(const Image& image) {
    if (image.height <= 0 || image.width <= 0 || (image.channels != 1 && image.channels != 3))
        return false;
    const std::uint64_t pixels =
        static_cast<std::uint64_t>(image.height) * static_cast<std::uint64_t>(image.width);
    return image.pixels.size() == pixels * static_cast<std::uint64_t>(image.channels);
}

std::string write_png(const fs::path& path, const Image& image) {
    Bytes bytes(image.pixels.size());
    std::ranges::transform(image.pixels, bytes.begin(), to_byte);
    png_image png = {};
    png.version = PNG_IMAGE_VERSION;
    png.height = static_cast<png_uint_32>(image.height);
    png.width = static_cast<png_uint_32>(image.width);
    png.format = image.channels == 1 ? PNG_FORMAT_GRAY : PNG_FORMAT_RGB;
    if (png_image_write_to_file(&png, path.c_str(), 0, bytes.data(), 0, nullptr))
        return "";
    return std::string("cannot be written: ") + png.message;
}

// Renaming over a device as root would replace it for everybody.
bool can_be_replaced(const fs::path& path) {
    std::error_code problem;
    const fs::file_status status = fs::status(path, problem);
    return !fs::exists(status) || fs::is_regular_file(status);
}

std::string save_whole_png(const fs::path& path, const Image& image) {
    if (!is_consistent(image))
        return "cannot be written: the image is " + describe(image) +
               "; height x width x 1 or 3, and as many values, would be right";
    if (!can_be_replaced(path))
        return "cannot be written: it exists and is not a regular file";
    const fs::path temporary = path.parent_path() / (".picture-" + std::to_string(::getpid()) + ".tmp");
    std::string error = write_png(temporary, image);
    std::error_code problem;
    if (error.empty()) {
        fs::rename(temporary, path, problem);
        if (!problem)
            return "";
        error = "cannot be written: " + problem.message();
    }
    fs::remove(temporary, problem);
    return error;
}

} // namespace

LoadedImage load_image(const fs::path& path) {
    const Decoded decoded = decode_file(path);
    if (!decoded.error.empty())
        return {std::nullopt, path.string() + ": " + decoded.error};
    Image image{static_cast<int>(decoded.height), static_cast<int>(decoded.width), 3, {}};
    image.pixels.resize(decoded.bytes.size());
    std::ranges::transform(decoded.bytes, image.pixels.begin(),
                           [](std::uint8_t byte) { return static_cast<float>(byte) / 255.0F; });
    return {std::move(image), ""};
}

std::string save_png(const fs::path& path, const Image& image) {
    const std::string error = save_whole_png(path, image);
    return error.empty() ? "" : path.string() + ": " + error;
}

} // namespace pictures
