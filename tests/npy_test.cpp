#include <array>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "../generators/whole_file.hpp"
#include "../tools/npy.hpp"
#include "../tools/npy_header.hpp"
#include "tests/support/small_disk.hpp"
#include "tests/support/test_folder.hpp"

namespace {

namespace fs = std::filesystem;
using namespace lamina;
using namespace lamina::tools;
using Catch::Contains;
using Catch::Equals;
using Catch::UnorderedEquals;
using lamina::testing::SmallDisk;
using lamina::testing::TestFolder;

void write_text(const fs::path& path, std::string_view text) {
    std::ofstream(path, std::ios::binary).write(text.data(), static_cast<std::streamsize>(text.size()));
}

std::string read_text(const fs::path& path) {
    std::ifstream stream(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
}

std::string little_endian(std::size_t value, int bytes) {
    std::string result;
    for (int i = 0; i < bytes; ++i, value >>= 8)
        result += static_cast<char>(value & 0xff);
    return result;
}

std::string npy_text(std::string_view header, std::string_view data, int version = 1) {
    return std::string("\x93NUMPY") + static_cast<char>(version) + '\0' +
           little_endian(header.size(), version == 1 ? 2 : 4) + std::string(header) + std::string(data);
}

std::string reason_for(const std::string& file_text) {
    const TestFolder folder;
    write_text(folder / "x.npy", file_text);
    const LoadedArray loaded = read_npy(folder / "x.npy");
    REQUIRE_FALSE(loaded.array);
    CHECK_THAT(loaded.error, Contains((folder / "x.npy").string() + ": "));
    return loaded.error;
}

std::string reason_for_header(std::string_view header, std::string_view data = "12345678") {
    return reason_for(npy_text(header, data));
}

template <class T>
Array array_of(Array::Type type, std::vector<std::int64_t> shape, const std::vector<T>& values) {
    Array array{type, std::move(shape), std::vector<std::byte>(values.size() * sizeof(T))};
    if (!values.empty())
        std::memcpy(array.data.data(), values.data(), array.data.size());
    return array;
}

const Array small = array_of<float>(Array::Type::f32, {1, 2, 3}, {1, -2, 3.5F, 0, 1e-30F, 6});

} // namespace

TEST_CASE("npy: what is written is read back") {
    const TestFolder folder;
    const Array arrays[] = {
        small,
        array_of<std::int32_t>(Array::Type::i32, {4}, {1, -2, 2147483647, -2147483647}),
        array_of<float>(Array::Type::f32, {}, {42}),
        array_of<float>(Array::Type::f32, {0, 7}, {}),
        array_of<float>(Array::Type::f32, std::vector<std::int64_t>(32, 1), {5}),
    };
    for (const Array& array : arrays) {
        CHECK_THAT(write_npy(folder / "x.npy", array), Equals(""));
        const LoadedArray loaded = read_npy(folder / "x.npy");
        CHECK_THAT(loaded.error, Equals(""));
        REQUIRE(loaded.array);
        CHECK(loaded.array->type == array.type);
        CHECK(loaded.array->shape == array.shape);
        CHECK(loaded.array->data == array.data);
    }
    CHECK(folder.names() == std::vector<std::string>{"x.npy"});
}

TEST_CASE("npy: a written file is NumPy's, byte for byte") {
    const TestFolder folder;
    REQUIRE_THAT(write_npy(folder / "x.npy", array_of<float>(Array::Type::f32, {1}, {1})), Equals(""));
    std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }";
    header.resize(128 - 10 - 1, ' ');
    CHECK(read_text(folder / "x.npy") == npy_text(header + '\n', std::string_view("\0\0\x80\x3f", 4)));
}

TEST_CASE("npy: versions 1, 2 and 3, and any order, quotes and spaces, are read") {
    const TestFolder folder;
    for (const int version : {1, 2, 3})
        for (const std::string_view header : {
                 "{'descr': '<i4', 'fortran_order': False, 'shape': (2,), }   \n",
                 "{\"shape\":(2,1),'fortran_order':False,'descr':'<i4'}",
                 " { 'descr' : '<i4' , 'shape' : ( 1 , 2 , ) , 'fortran_order' : False } ",
             }) {
            write_text(folder / "x.npy", npy_text(header, "12345678", version));
            const LoadedArray loaded = read_npy(folder / "x.npy");
            CHECK_THAT(loaded.error, Equals(""));
            REQUIRE(loaded.array);
            CHECK(loaded.array->type == Array::Type::i32);
            CHECK(loaded.array->data.size() == 8);
        }
}

TEST_CASE("npy: a type that is not read is refused with the conversion") {
    const auto reason = [](std::string_view descr) {
        return reason_for_header("{'descr': '" + std::string(descr) +
                                 "', 'fortran_order': False, 'shape': (1,)}");
    };
    CHECK_THAT(reason("<f8"), Contains("'<f8' is float64") && Contains(".astype('float32')"));
    CHECK_THAT(reason("<i8"),
               Contains("'<i8' is int64") && Contains(".astype('float32')") && Contains(".astype('int32')"));
    CHECK_THAT(reason(">f4"), Contains("big-endian") && Contains(".astype('<f4')"));
    CHECK_THAT(reason(">i4"), Contains("big-endian") && Contains(".astype('<i4')"));
    for (const std::string_view descr : {"<f2", "|u1", "|O", "<u4", "f4", ""})
        CHECK_THAT(reason(descr), Contains("type '" + std::string(descr) + "'") &&
                                      Contains("'<f4' (float32)") && Contains(".astype('float32')"));
    CHECK_THAT(reason_for_header("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}"),
               Contains("a type in quotes") && Contains("records"));
}

TEST_CASE("npy: fortran order is refused with the way out") {
    CHECK_THAT(reason_for_header("{'descr': '<f4', 'fortran_order': True, 'shape': (2,)}"),
               Contains("fortran_order is True") && Contains("ascontiguousarray"));
}

TEST_CASE("npy: a bad start is refused") {
    CHECK_THAT(reason_for("PK\x03\x04 a zip archive"),
               Contains("'PK\\x03\\x04 a'") && Contains("'\\x93NUMPY'"));
    CHECK_THAT(reason_for(npy_text("{}", "", 4)), Contains("format version 4.0") && Contains("3.0 are read"));
    CHECK_THAT(reason_for(npy_text("{}", "", 0)), Contains("format version 0.0"));
    CHECK_THAT(reason_for(std::string("\x93NUMPY\x02\0\0\0\1\0{}", 14)), Contains("header of 65536 bytes"));
    CHECK_THAT(reason_for(std::string("\x93NUMPY\x02\0\xff\xff\xff\xff{}", 14)),
               Contains("header of 4294967295"));
    CHECK_THAT(reason_for(std::string("\x93NUMPY\x01\0\xff\0{}", 12)),
               Contains("within its header: 2 bytes left, 255 needed"));
    CHECK_THAT(reason_for(""), Contains("within its first 8 bytes: 0 bytes left"));
}

TEST_CASE("npy: a header that is not exactly the dictionary is refused where it goes wrong") {
    const std::pair<std::string_view, std::string_view> cases[] = {
        {"", "'{'"},
        {"{'shape': (2,), 'fortran_order': False}", "no key 'descr'"},
        {"{'descr': '<f4', 'fortran_order': False}", "no key 'shape'"},
        {"{'descr': '<f4', 'shape': (2,)}", "no key 'fortran_order'"},
        {"{'descr': '<f4', 'descr': '<f4'}", "'descr' stands twice"},
        {"{'order': 1}", "unknown key 'order'"},
        {"{'descr': '<f4' 'shape': (2,)}", "',' or '}'"},
        {"{'descr' '<f4'}", "':'"},
        {"{'descr': '<f4}", "does not end"},
        {"{descr: '<f4'}", "a key in quotes"},
        {"{'fortran_order': 0}", "True or False"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2,)} x", "the end of the header"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2,)", "found the end of the header"},
        {"{'descr': '<f4', ,}", "a key in quotes"},
    };
    for (const auto& [header, reason] : cases) {
        INFO(header);
        CHECK_THAT(reason_for_header(header), Contains(std::string(reason)));
    }
}

TEST_CASE("npy: a shape that is no list of sizes is refused") {
    const std::pair<std::string_view, std::string_view> cases[] = {
        {"(-2,)", "'-2,)}' where a size, an integer of 0 or more,"},
        {"(2.0,)", "',' or ')'"},
        {"(2L,)", "',' or ')'"},
        {"(1e3,)", "',' or ')'"},
        {"('2',)", "a size"},
        {"(True,)", "a size"},
        {"(2)", "(2,) would be right"},
        {"2", "a shape like"},
        {"[2]", "a shape like"},
        {"(,)", "a size"},
        {"(2,,3)", "a size"},
        {"((2,),)", "a size"},
        {"(9223372036854775808,)", "below 2^63"},
        {"(9223372036854775807,)", "more than 2^63 bytes"},
        {"(4294967296, 4294967296)", "more than 2^63 bytes"},
        {"(0, 4294967296, 4294967296)", "more than 2^63 bytes"},
        {"(1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1)", "more than 32 dimensions"},
    };
    for (const auto& [shape, reason] : cases) {
        INFO(shape);
        const std::string header =
            "{'descr': '<f4', 'fortran_order': False, 'shape': " + std::string(shape) + "}";
        CHECK_THAT(reason_for_header(header), Contains(std::string(reason)));
    }
}

TEST_CASE("npy: data that do not fit the shape are refused, before memory is taken for them") {
    const std::string_view huge =
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000, 1000000000)}";
    CHECK_THAT(reason_for_header(huge), Contains("truncated") && Contains("needs 4000000000000000000 bytes"));
    const std::string_view two = "{'descr': '<f4', 'fortran_order': False, 'shape': (2,)}";
    CHECK_THAT(reason_for_header(two, "1234567"),
               Contains("shape (2) needs 8 bytes") && Contains("but 7 follow"));
    CHECK_THAT(reason_for_header(two, "123456789"), Contains("but 9 follow") && Contains("too long"));
}

TEST_CASE("npy: messages hold no control characters of the file") {
    const std::string reason = reason_for_header("{'\x1b[31m\n" + std::string(100, 'k') + "': 1}");
    CHECK_THAT(reason, Contains("\\x1b[31m\\x0a") && Contains("...'"));
}

TEST_CASE("npy: what is not a file is refused by name") {
    const TestFolder folder;
    CHECK_THAT(read_npy(folder / "absent.npy").error, Contains("absent.npy: No such file"));
    CHECK_THAT(read_npy(folder / "").error, Contains("is not a regular file"));
    CHECK_THAT(read_npy("/dev/zero").error, Contains("/dev/zero: is not a regular file"));
}

TEST_CASE("npy: a file cut at any byte is refused") {
    const TestFolder folder;
    REQUIRE_THAT(write_npy(folder / "x.npy", small), Equals(""));
    const std::string whole = read_text(folder / "x.npy");
    for (std::size_t size = 0; size < whole.size(); ++size) {
        write_text(folder / "x.npy", std::string_view(whole).substr(0, size));
        const LoadedArray loaded = read_npy(folder / "x.npy");
        INFO(size);
        CHECK_FALSE(loaded.array);
        CHECK_THAT(loaded.error, Contains("x.npy: "));
    }
}

TEST_CASE("npy: a damaged file is an array that fits its data, or an error; never both or neither") {
    const TestFolder folder;
    REQUIRE_THAT(write_npy(folder / "x.npy", small), Equals(""));
    const std::string whole = read_text(folder / "x.npy");
    std::mt19937 random(1); // its numbers are the same everywhere
    for (int round = 0; round < 3000; ++round) {
        std::string damaged = whole;
        for (auto flips = 1 + random() % 4; flips > 0; --flips)
            damaged[random() % damaged.size()] = static_cast<char>(random());
        write_text(folder / "x.npy", damaged);
        const LoadedArray loaded = read_npy(folder / "x.npy");
        REQUIRE(loaded.array.has_value() == loaded.error.empty());
        REQUIRE((!loaded.array || loaded.array->data.size() == small.data.size()));
    }
}

TEST_CASE("npy: any change to the dictionary's text is parsed or refused") {
    const std::string whole = npy_header_text({"<f4", false, {1, 56, 56, 64}});
    std::mt19937 random(2);
    for (int round = 0; round < 100'000; ++round) {
        std::string text = whole;
        for (auto edits = 1 + random() % 3; edits > 0; --edits)
            text[random() % text.size()] = whole[random() % whole.size()];
        text.resize(random() % (text.size() + 1));
        const ParsedNpyHeader parsed = parse_npy_header(text);
        REQUIRE(parsed.header.has_value() == parsed.error.empty());
    }
}

TEST_CASE("npy: an array that contradicts itself is not written") {
    const TestFolder folder;
    Array array = small;
    array.shape = {7};
    CHECK_THAT(write_npy(folder / "x.npy", array), Contains("x.npy: shape (7) does not fit its 24 bytes"));
    array.shape = {-1, -6};
    CHECK_THAT(write_npy(folder / "x.npy", array), Contains("negative"));
    array.shape.assign(33, 1);
    CHECK_THAT(write_npy(folder / "x.npy", array), Contains("more than 32 dimensions"));
    CHECK(folder.names().empty());
}

TEST_CASE("whole file: a failure names the path and its reason, and leaves nothing behind") {
    const TestFolder folder;
    CHECK_THAT(write_npy(folder / "no/such/x.npy", small),
               Contains("no/such/x.npy: cannot write: No such file"));
    CHECK_THAT(write_npy("/dev/full", small), Contains("/dev/full: cannot write: No space left on device"));
    fs::create_directory(folder / "taken");
    CHECK_THAT(write_npy(folder / "taken", small), Contains("taken: cannot write: Is a directory"));
    CHECK_THAT(write_npy(folder / std::string(300, 'x'), small), Contains("File name too long"));
    CHECK(folder.names() == std::vector<std::string>{"taken"});
    CHECK(fs::is_empty(folder / "taken"));
}

TEST_CASE(
    "whole file: on a full disk the old file stays, the reason is said, and nothing is left beside it") {
    const TestFolder folder;
    write_text(folder / "old", "the old text");
    const std::string large(100'000, 'x');
    const auto write = [&](std::string_view name) {
        const SmallDisk disk(4096);
        return write_whole_file(folder / name, std::as_bytes(std::span(large)));
    };
    const std::string old_error = write("old"), new_error = write("new");
    CHECK_THAT(old_error, Equals((folder / "old").string() + ": cannot write: File too large"));
    CHECK_THAT(new_error, Equals((folder / "new").string() + ": cannot write: File too large"));
    CHECK(read_text(folder / "old") == "the old text");
    CHECK(folder.names() == std::vector<std::string>{"old"});
}

TEST_CASE("whole file: of several files none is replaced where there is no room for another") {
    const TestFolder folder;
    write_text(folder / "small", "the old text");
    const std::string small = "new", large(100'000, 'x');
    const std::vector<NamedBytes> files{{folder / "small", std::as_bytes(std::span(small))},
                                        {folder / "large", std::as_bytes(std::span(large))}};
    std::string error;
    {
        const SmallDisk disk(4096);
        error = write_whole_files(files);
    }
    CHECK_THAT(error, Equals((folder / "large").string() + ": cannot write: File too large"));
    CHECK(read_text(folder / "small") == "the old text");
    CHECK(folder.names() == std::vector<std::string>{"small"});
    CHECK_THAT(write_whole_files(files), Equals(""));
    CHECK(read_text(folder / "small") == "new");
    CHECK(read_text(folder / "large") == large);
    CHECK(folder.names().size() == 2);
    const std::vector<NamedBytes> blocked{{folder / "small", {}}, {"/dev/null", {}}};
    CHECK_THAT(write_whole_files(blocked), Equals("/dev/null: cannot write: Invalid argument"));
    CHECK(read_text(folder / "small") == "new");
}

TEST_CASE("whole file: what a killed writer left is removed, and nothing else") {
    const TestFolder folder;
    const pid_t gone = fork();
    if (gone == 0)
        _exit(0);
    waitpid(gone, nullptr, 0);
    const std::string dead = std::to_string(gone), alive = std::to_string(getpid());
    const std::vector<std::string> kept{".lamina-" + alive + "-0.tmp",
                                        ".lamina-" + dead + ".tmp",
                                        ".lamina-" + dead + "-0.txt",
                                        ".lamina--1-0.tmp",
                                        ".lamina-0-0.tmp",
                                        ".lamina-99999999999999-0.tmp",
                                        ".lamina-.tmp",
                                        ".lamina.tmp",
                                        "lamina-" + dead + "-0.tmp"};
    for (const std::string& name : kept)
        write_text(folder / name, "kept");
    write_text(folder / (".lamina-" + dead + "-0.tmp"), "half of a");
    write_text(folder / (".lamina-" + dead + "-12.tmp"), "");
    remove_abandoned_files(folder.path());
    CHECK_THAT(folder.names(), UnorderedEquals(kept));
    remove_abandoned_files(folder / "no such folder");
}

TEST_CASE("whole file: what cannot be written is known before, and asking changes nothing") {
    const TestFolder folder;
    write_text(folder / "old", "the old text");
    fs::create_directory(folder / "taken");
    for (const fs::path& path : {folder / "no/such/x", folder / "taken", folder / std::string(300, 'x')}) {
        const std::string reason = why_unwritable(path);
        CHECK_THAT(reason, Contains("cannot write: "));
        CHECK_THAT(write_whole_file(path, Bytes()), Equals(reason));
    }
    for (const fs::path& path :
         {folder / "new", folder / "old", fs::path("/dev/full"), fs::path("/dev/null")})
        CHECK_THAT(why_unwritable(path), Equals(""));
    CHECK(read_text(folder / "old") == "the old text");
    CHECK(folder.names().size() == 2);
}

TEST_CASE("whole file: an old file is replaced, and a link to it stays a link") {
    const TestFolder folder;
    write_text(folder / "x", "the old text, which is longer");
    fs::create_symlink("x", folder / "link");
    CHECK_THAT(write_whole_file(folder / "link", std::as_bytes(std::span("new", 3))), Equals(""));
    CHECK(read_text(folder / "x") == "new");
    CHECK(fs::is_symlink(folder / "link"));
    CHECK(folder.names().size() == 2);
}

TEST_CASE("whole file: a name without a folder is in the current one") {
    const TestFolder folder;
    const fs::path before = fs::current_path();
    fs::current_path(folder / "");
    const std::string error = write_whole_file("x", std::as_bytes(std::span("new", 3)));
    fs::current_path(before);
    CHECK_THAT(error, Equals(""));
    CHECK(read_text(folder / "x") == "new");
}
