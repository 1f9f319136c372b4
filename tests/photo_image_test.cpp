#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include <catch2/catch.hpp>

#include "common/image.hpp"
#include "tests/support/test_folder.hpp"

namespace {

namespace fs = std::filesystem;
using namespace pictures;
using Catch::Contains;
using Catch::Equals;
using lamina::testing::TestFolder;

const fs::path portrait = fs::path(__FILE__).parent_path().parent_path() / "examples/photo/grace_hopper.jpg";

std::string read_text(const fs::path& path) {
    std::ifstream stream(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
}

void write_text(const fs::path& path, std::string_view text) {
    std::ofstream(path, std::ios::binary).write(text.data(), static_cast<std::streamsize>(text.size()));
}

} // namespace

TEST_CASE("photo: the portrait is read, and written as a PNG it is the same picture") {
    const TestFolder folder;
    const LoadedImage jpeg = load_image(portrait);
    CHECK_THAT(jpeg.error, Equals(""));
    REQUIRE(jpeg.image);
    CHECK(jpeg.image->height == 600);
    CHECK(jpeg.image->width == 512);
    CHECK(jpeg.image->channels == 3);
    // The name does not matter.
    CHECK_THAT(save_png(folder / "portrait.jpg", *jpeg.image), Equals(""));
    const LoadedImage png = load_image(folder / "portrait.jpg");
    CHECK_THAT(png.error, Equals(""));
    REQUIRE(png.image);
    CHECK(png.image->height == 600);
    CHECK(png.image->pixels == jpeg.image->pixels);
}

TEST_CASE("photo: grey is written, values are clamped, and NaN is black") {
    const TestFolder folder;
    const float nan = std::numeric_limits<float>::quiet_NaN();
    REQUIRE_THAT(save_png(folder / "x.png", {1, 5, 1, {-1, 0.2F, 1, 7, nan}}), Equals(""));
    const LoadedImage loaded = load_image(folder / "x.png");
    REQUIRE(loaded.image);
    CHECK(loaded.image->pixels == std::vector<float>{0, 0, 0, 0.2F, 0.2F, 0.2F, 1, 1, 1, 1, 1, 1, 0, 0, 0});
}

TEST_CASE("photo: a file cut anywhere is refused") {
    const TestFolder folder;
    const LoadedImage jpeg = load_image(portrait);
    REQUIRE(jpeg.image);
    const std::vector<float> rows(jpeg.image->pixels.begin(), jpeg.image->pixels.begin() + 20 * 512 * 3);
    REQUIRE_THAT(save_png(folder / "whole.png", {20, 512, 3, rows}), Equals(""));
    for (const fs::path& path : {portrait, folder / "whole.png"}) {
        const std::string whole = read_text(path);
        for (std::size_t size = 0; size < whole.size() - 12; size += 1 + whole.size() / 150) {
            write_text(folder / "cut", std::string_view(whole).substr(0, size));
            const LoadedImage cut = load_image(folder / "cut");
            INFO(path << " of " << size << " bytes");
            CHECK_FALSE(cut.image);
            CHECK_THAT(cut.error, Contains("cut: "));
        }
    }
}

TEST_CASE("photo: what is no picture is refused by name") {
    const TestFolder folder;
    write_text(folder / "x.png", "GIF89a");
    CHECK_THAT(load_image(folder / "x.png").error, Contains("x.png: is neither a PNG nor a JPEG"));
    CHECK_THAT(load_image(folder / "absent").error, Contains("absent: cannot be read: No such file"));
    CHECK_THAT(load_image(folder / "").error, Contains("not a regular file"));
}

TEST_CASE("photo: an absurd size is refused before memory is taken for it") {
    const TestFolder folder;
    std::string jpeg = read_text(portrait);
    const std::size_t frame = jpeg.find(std::string_view("\xff\xc0\x00\x11\x08", 5));
    REQUIRE(frame != std::string::npos);
    jpeg.replace(frame + 5, 4, "\xff\xdc\xff\xdc");
    write_text(folder / "x.jpg", jpeg);
    CHECK_THAT(load_image(folder / "x.jpg").error, Contains("65500 x 65500 pixels"));
}

TEST_CASE("photo: what cannot be written is refused by name and leaves nothing behind") {
    const TestFolder folder;
    const Image dot{1, 1, 1, {1}};
    CHECK_THAT(save_png(folder / "x.png", {2, 2, 3, {1, 1}}),
               Contains("x.png: ") && Contains("2 x 2 x 3 with 2 values"));
    CHECK_THAT(save_png(folder / "x.png", {1, 1, 2, {1, 1}}), Contains("1 or 3"));
    CHECK_THAT(save_png(folder / "no/x.png", dot), Contains("no/x.png: cannot be written"));
    CHECK_THAT(save_png(folder / "", dot), Contains("not a regular file"));
    CHECK_THAT(save_png("/dev/full", dot), Contains("/dev/full: ") && Contains("not a regular file"));
    CHECK(folder.names().empty());
}
