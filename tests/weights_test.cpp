// The files that keep weights.
#include "tests/fuzz/any_weights.hpp"
#include "tests/support/failing_new.hpp"
#include "tests/support/small_disk.hpp"
#include "tests/support/test_folder.hpp"

#include <bit>
#include <cstring>
#include <fstream>
#include <limits>
#include <numeric>
#include <sstream>
#include <utility>

#include <sys/stat.h>

#include <catch2/catch.hpp>

namespace {

namespace fs = std::filesystem;
using namespace lamina;
using Catch::Contains;
using Catch::Equals;
using lamina::testing::allocations_left;
using lamina::testing::any_parameters;
using lamina::testing::any_weight_count;
using lamina::testing::SmallDisk;
using lamina::testing::TestFolder;
using lamina::testing::use_weights;
using Weights = std::array<float, any_weight_count>;

constexpr Weights one_to_twelve{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};

const std::string kernel_entry = R"("c.kernel":{"dtype":"F32","shape":[1,1,2,3],"data_offsets":[0,24]})";
const std::string bias_entry = R"("c.bias":{"dtype":"F32","shape":[3],"data_offsets":[24,36]})";
const std::string nine_values(36, 'v');

std::string little_endian(std::uint64_t value) {
    std::string bytes(8, '\0');
    for (std::size_t i = 0; i < 8; ++i, value >>= 8)
        bytes[i] = static_cast<char>(value & 0xff);
    return bytes;
}

std::string file_text(const std::string& header, const std::string& data = nine_values) {
    return little_endian(header.size()) + header + data;
}

void write_text(const fs::path& path, std::string_view text) {
    std::ofstream(path, std::ios::binary).write(text.data(), static_cast<std::streamsize>(text.size()));
}

std::string read_text(const fs::path& path) {
    std::ostringstream text;
    text << std::ifstream(path, std::ios::binary).rdbuf();
    return text.str();
}

Status use_text(std::string_view text) {
    return use_weights(std::as_bytes(std::span(text)));
}

std::string saved_text() {
    const TestFolder folder;
    const Status status = save_weights((folder / "x").c_str(), one_to_twelve, any_parameters);
    REQUIRE(std::string(status.message()).empty());
    return read_text(folder / "x");
}

std::string reason_for(const std::string& text) {
    const Status status = use_text(text);
    CHECK(status.code() == LAMINA_BAD_FILE);
    CHECK_THAT(std::string(status.message()), Contains("/proc/self/fd/"));
    return std::string(status.message());
}

// The first description with one part exchanged, then the second.
std::string with(const std::string& part, const std::string& other) {
    std::string entries = kernel_entry + "," + bias_entry;
    entries.replace(entries.find(part), part.size(), other);
    return "{" + entries + "}";
}

bool same_bits(std::span<const float> a, std::span<const float> b) {
    return std::ranges::equal(std::as_bytes(a), std::as_bytes(b));
}

} // namespace

TEST_CASE("weights: what is saved is loaded bit for bit, and what belongs to no parameter stays",
          "[weights]") {
    const TestFolder folder;
    const fs::path path = folder / "x.safetensors";
    Weights weights = one_to_twelve;
    weights[0] = std::bit_cast<float>(0x7fc12345U); // a quiet NaN with a payload
    weights[1] = std::bit_cast<float>(0xff812345U); // a signalling one
    weights[2] = -0.0F;
    weights[3] = std::numeric_limits<float>::infinity();
    weights[4] = std::numeric_limits<float>::denorm_min();
    const Status saved = save_weights(path.c_str(), weights, any_parameters);
    CHECK_THAT(std::string(saved.message()), Equals(""));
    REQUIRE(saved);
    Weights loaded;
    loaded.fill(-1);
    const Status status = load_weights(path.c_str(), loaded, any_parameters);
    CHECK_THAT(std::string(status.message()), Equals(""));
    REQUIRE(status);
    for (const std::size_t gap : {6, 7, 11})
        weights[gap] = -1;
    CHECK(same_bits(loaded, weights));
    CHECK(folder.names() == std::vector<std::string>{"x.safetensors"});
}

TEST_CASE("weights: a saved file is a safetensors file, byte for byte", "[weights]") {
    std::string header = "{" + kernel_entry + "," + bias_entry + "}";
    header.resize((header.size() + 7) / 8 * 8, ' ');
    const Weights& w = one_to_twelve;
    const float values[] = {w[0], w[1], w[2], w[3], w[4], w[5], w[8], w[9], w[10]};
    std::string data(sizeof values, '\0');
    std::memcpy(data.data(), values, sizeof values);
    const std::string text = saved_text();
    CHECK(text == file_text(header, data));
    CHECK((text.size() - data.size()) % 8 == 0);
    CHECK(text.substr(text.size() - 36, 4) == std::string_view("\0\0\x80\x3f", 4)); // 1, little-endian
}

TEST_CASE("weights: any names, many parameters and none are kept", "[weights]") {
    const TestFolder folder;
    std::vector<std::string> names;
    for (int i = 0; i < 1000; ++i)
        names.push_back("layer \"" + std::to_string(i) + "\" \\ \n\t\x7f \u00e9\U0001f600.kernel");
    std::vector<Parameter> parameters;
    for (const std::string& name : names)
        parameters.push_back({name, {2, 3}, 8 * parameters.size()});
    parameters.push_back({"", {1}, 8000});
    std::vector<float> weights(8001), loaded(8001);
    std::iota(weights.begin(), weights.end(), 1.0F);
    for (const std::size_t count : {parameters.size(), std::size_t{0}}) {
        const std::span<const Parameter> table = std::span(parameters).first(count);
        const Status saved = save_weights((folder / "x").c_str(), weights, table);
        CHECK_THAT(std::string(saved.message()), Equals(""));
        const Status status = load_weights((folder / "x").c_str(), loaded, table);
        CHECK_THAT(std::string(status.message()), Equals(""));
    }
    bool is_right = loaded[8000] == weights[8000];
    for (std::size_t i = 0; i < 8000; ++i)
        is_right = is_right && loaded[i] == (i % 8 < 6 ? weights[i] : 0.0F);
    CHECK(is_right);
}

TEST_CASE("weights: files of other writers are read", "[weights]") {
    const std::string small = R"("c.bias":{"shape":[3],"data_offsets":[0,12],"dtype":"F32"})";
    const std::string large = R"("c.kern\u0065l":{"dtype":"F32","data_offsets":[12,36],"shape":[1,1,2,3]})";
    for (const std::string& header : {
             "{" + kernel_entry + "," + bias_entry + "}",
             "{" + bias_entry + "," + kernel_entry + "}",
             "{" + small + "," + large + "}   ",
             "{\n " + large + " ,\t" + small + "\r\n}",
             R"({"__metadata__":{"format":"pt","":"\u00e9"},)" + kernel_entry + "," + bias_entry + "}",
             "{" + kernel_entry + R"(,"__metadata__":{},)" + bias_entry + "}",
         }) {
        INFO(header);
        const Status status = use_text(file_text(header));
        CHECK_THAT(std::string(status.message()), Equals(""));
        CHECK(status);
    }
}

TEST_CASE("weights: a header that is not exactly right is refused by what is wrong", "[weights]") {
    const std::string both = "{" + kernel_entry + "," + bias_entry + "}";
    const std::string deep(100'000, '[');
    const std::pair<std::string, std::string> cases[] = {
        {"", "the header does not begin with '{'"},
        {" " + both, "the header does not begin with '{'"},
        {"\xef\xbb\xbf" + both, "the header does not begin with '{'"},
        {"[" + both + "]", "the header does not begin with '{'"},
        {"null", "the header does not begin with '{'"},
        {"{", "the header is not JSON from its byte 2"},
        {both + "}", "the header is not JSON"},
        {both + "x", "the header is not JSON"},
        {both + std::string(1, '\0'),
         "the header is not JSON from its byte " + std::to_string(both.size() + 1)},
        {both.substr(0, both.size() - 1), "the header is not JSON"},
        {both.substr(0, both.size() - 1) + ",}", "the header is not JSON"},
        {"{'c.bias':1}", "the header is not JSON from its byte 2"},
        {"{\"c.bia\xff\":1}", "the header is not JSON"},
        {"{/**/" + both.substr(1), "the header is not JSON"},
        {"{}", "tensor 'c.bias': is not in the file"},
        {"{" + bias_entry + "}", "tensor 'c.kernel': is not in the file"},
        {"{" + kernel_entry + "," + bias_entry + R"(,"d.bias":{}})",
         "tensor 'd.bias': there is no such parameter"},
        {R"({"c.bia\u0000s":{}})", "tensor 'c.bia?s': there is no such parameter"},
        {R"({"":{}})", "tensor '': there is no such parameter"},
        {"{" + kernel_entry + "," + kernel_entry + "}", "tensor 'c.kernel': stands twice"},
        {R"({"c.bias":{},"c.bias":{}})", "tensor 'c.bias': there is no dtype"},
        {R"({"c.bias":null})", "tensor 'c.bias': expected an object, got null"},
        {R"({"c.bias":true})", "tensor 'c.bias': expected an object, got a truth value"},
        {R"({"c.bias":7})", "tensor 'c.bias': expected an object, got the number 7"},
        {R"({"c.bias":-7})", "tensor 'c.bias': expected an object, got the number -7"},
        {R"({"c.bias":7.5})", "tensor 'c.bias': expected an object, got the number '7.5'"},
        {R"({"c.bias":"F32"})", "tensor 'c.bias': expected an object, got the string 'F32'"},
        {R"({"c.bias":)" + deep, "tensor 'c.bias': expected an object, got a list"},
        {R"({"c.bias":{"shape":)" + deep,
         "tensor 'c.bias': expected integers of 0 or more, below 2^63, got a list"},
        {R"({"__metadata__":)" + deep, "tensor '__metadata__': expected an object, got a list"},
        {R"({"__metadata__":{"a":)" + deep, "__metadata__: expected strings, got a list"},
        {R"({"__metadata__":{"a":{}}})", "__metadata__: expected strings, got an object"},
        {R"({"__metadata__":{"a":1}})", "__metadata__: expected strings, got the number 1"},
        {R"({"__metadata__":{"a":"","b":"","a":""}})", "__metadata__: 'a' stands twice"},
        {R"({"__metadata__":{},"__metadata__":{}})", "tensor '__metadata__': stands twice"},
        {R"({"__metadata__":"pt"})", "tensor '__metadata__': expected an object, got the string 'pt'"},
        {with(R"("dtype":"F32",)", ""), "tensor 'c.kernel': there is no dtype"},
        {with(R"("shape":[1,1,2,3],)", ""), "tensor 'c.kernel': there is no shape"},
        {with(R"(,"data_offsets":[0,24])", ""), "tensor 'c.kernel': there is no data_offsets"},
        {with("dtype", "type"), "tensor 'c.kernel': expected dtype, shape and data_offsets, got 'type'"},
        {with("\"dtype\"", R"("dtype":"F32","dtype")"), "tensor 'c.kernel': dtype stands twice"},
        {with("\"shape\"", R"("shape":[],"shape")"), "tensor 'c.kernel': shape stands twice"},
        {with("\"shape\"", R"("data_offsets":[0,24],"shape")"),
         "tensor 'c.kernel': data_offsets stands twice"},
        {with("\"F32\"", "\"F16\""), "tensor 'c.kernel': expected dtype 'F32', got 'F16'"},
        {with("\"F32\"", "\"f32\""), "tensor 'c.kernel': expected dtype 'F32', got 'f32'"},
        {with("\"F32\"", "32"), "tensor 'c.kernel': dtype: expected a string, got the number 32"},
        {with("\"F32\"", "[]"), "tensor 'c.kernel': dtype: expected a string, got a list"},
        {with("[1,1,2,3]", "\"1\""), "tensor 'c.kernel': expected a list of numbers, got the string '1'"},
        {with("[1,1,2,3]", "{}"), "tensor 'c.kernel': expected a list of numbers, got an object"},
        {with("[1,1,2,3]", "[1,1,3,2]"), "tensor 'c.kernel': expected shape [1, 1, 2, 3], got [1, 1, 3, 2]"},
        {with("[1,1,2,3]", "[6]"), "tensor 'c.kernel': expected shape [1, 1, 2, 3], got [6]"},
        {with("[1,1,2,3]", "[]"), "tensor 'c.kernel': expected shape [1, 1, 2, 3], got []"},
        {with("[1,1,2,3]", "[1,1,2,3,1]"), "tensor 'c.kernel': shape: expected 4 numbers, got more"},
        {with("[1,1,2,3]", "[1,1,2,-3]"),
         "tensor 'c.kernel': expected integers of 0 or more, below 2^63, got the number -3"},
        {with("[1,1,2,3]", "[1,1,2,3.0]"), "got the number '3.0'"},
        {with("[1,1,2,3]", "[1,1,2,null]"), "got null"},
        {with("[1,1,2,3]", "[1,1,2,\"3\"]"), "got the string '3'"},
        {with("[1,1,2,3]", "[1,1,2,9223372036854775808]"), "got a larger number"},
        {with("[1,1,2,3]", "[1,1,2,18446744073709551619]"), "got the number '18446744073709551619'"},
        {with("[1,1,2,3]", "[1,1,2,1e999]"), "the header is not JSON"},
        {with("[0,24]", "[0]"),
         "tensor 'c.kernel': data_offsets [0]: expected a begin and an end 24 bytes behind it"},
        {with("[0,24]", "[]"), "tensor 'c.kernel': data_offsets []: expected"},
        {with("[0,24]", "[0,24,48]"), "tensor 'c.kernel': data_offsets: expected 2 numbers, got more"},
        {with("[0,24]", "[-24,0]"), "got the number -24"},
        {with("[0,24]", "[24,0]"), "tensor 'c.kernel': data_offsets [24, 0]: expected"},
        {with("[0,24]", "[0,20]"), "tensor 'c.kernel': data_offsets [0, 20]: expected"},
        {with("[0,24]", "[0,28]"), "tensor 'c.kernel': data_offsets [0, 28]: expected"},
        {with("[0,24]", "[9223372036854775800,9223372036854775824]"), "got a larger number"},
        {with("[0,24]", "[9223372036854775783,9223372036854775807]"),
         "only 36 bytes of data follow the header"},
        {with("[0,24]", "[16,40]"), "tensor 'c.kernel': data_offsets [16, 40]: only 36 bytes of data follow"},
        {with("[0,24]", "[12,36]"),
         "tensor 'c.kernel': data_offsets [12, 36]: the data before end at byte 0"},
        {with("[0,24]", "[1,25]"), "tensor 'c.kernel': data_offsets [1, 25]: the data before end at byte 0"},
        {with("[24,36]", "[20,32]"),
         "tensor 'c.bias': data_offsets [20, 32]: the data before reach to byte 24"},
        {with("[24,36]", "[0,12]"), "the data before reach to byte"},
    };
    for (const auto& [header, reason] : cases) {
        INFO(header.substr(0, 200));
        CHECK_THAT(reason_for(file_text(header)), Contains(reason));
    }
}

TEST_CASE("weights: data that do not fit the header are refused", "[weights]") {
    const std::string both = "{" + kernel_entry + "," + bias_entry + "}";
    CHECK_THAT(reason_for(file_text(both, nine_values + "x")),
               Contains("37 bytes of data, of which the last 1 belong to no tensor"));
    CHECK_THAT(reason_for(file_text(both, nine_values.substr(1))),
               Contains("tensor 'c.bias': data_offsets [24, 36]: only 35 bytes of data follow the header"));
    const std::string hole = with("[24,36]", "[28,40]");
    CHECK_THAT(reason_for(file_text(hole, nine_values + "four")),
               Contains("tensor 'c.bias': data_offsets [28, 40]: the data before end at byte 24"));
}

TEST_CASE("weights: the length of a header is believed only as far as the file goes", "[weights]") {
    CHECK_THAT(reason_for(""), Contains("truncated: 0 bytes"));
    CHECK_THAT(reason_for("1234567"), Contains("truncated: 7 bytes"));
    CHECK_THAT(reason_for(little_endian(0)), Contains("does not begin with '{'"));
    CHECK_THAT(reason_for(little_endian(3) + "{}"),
               Contains("truncated: the header has 3 bytes, the file 2 behind"));
    CHECK_THAT(reason_for(little_endian(100'000'000) + "{}"),
               Contains("truncated: the header has 100000000 bytes"));
    CHECK_THAT(reason_for(little_endian(100'000'001) + "{}"),
               Contains("100000001 bytes, more than 100000000"));
    CHECK_THAT(reason_for(little_endian(UINT64_MAX) + "{}"),
               Contains("18446744073709551615 bytes, more than"));
}

TEST_CASE("weights: a file cut at any byte is refused and changes nothing", "[weights]") {
    const std::string whole = saved_text();
    REQUIRE(use_text(whole));
    for (std::size_t size = 0; size < whole.size(); ++size) {
        INFO(size);
        CHECK_FALSE(reason_for(whole.substr(0, size)).empty());
    }
}

// use_weights() aborts where one has loaded what is not in the file, or has failed and changed something.
TEST_CASE("weights: a file with any byte of its head changed is loaded whole or not at all", "[weights]") {
    const std::string whole = saved_text();
    const std::size_t head = whole.size() - nine_values.size();
    int loaded = 0;
    for (std::size_t i = 0; i < head; ++i)
        for (int change = 1; change < 256; ++change) {
            std::string damaged = whole;
            damaged[i] = static_cast<char>(damaged[i] ^ change);
            loaded += use_text(damaged) ? 1 : 0;
        }
    CHECK(loaded <= 3 * 7); // up to 7 blanks behind the header may be tabs and ends of lines
    for (std::size_t i = head; i < whole.size(); ++i) {
        std::string other = whole;
        other[i] = static_cast<char>(~other[i]);
        CHECK(use_text(other));
    }
}

TEST_CASE("weights: what the fuzzer began with and found is loaded or refused", "[weights]") {
    int files = 0, loaded = 0;
    for (const auto& entry : fs::directory_iterator(LAMINA_WEIGHT_SEEDS)) {
        INFO(entry.path());
        loaded += use_text(read_text(entry.path())) ? 1 : 0;
        ++files;
    }
    CHECK(files >= 10);
    CHECK(loaded >= 2);
}

TEST_CASE("weights: what is no file is neither loaded nor written over", "[weights]") {
    const TestFolder folder;
    fs::create_directory(folder / "taken");
    REQUIRE(::mkfifo((folder / "pipe").c_str(), 0600) == 0);
    write_text(folder / "file", "");
    const std::pair<std::string, std::string> cases[] = {
        {folder / "absent", "cannot read: No such file or directory"},
        {folder / "taken", "is not a regular file"},
        {folder / "pipe", "is not a regular file"},
        {folder / "file/x", "cannot read: Not a directory"},
        {std::string(256, 'x'), "cannot read: File name too long"},
        {"/dev/zero", "is not a regular file"},
        {"", "cannot read: No such file or directory"},
    };
    for (const auto& [path, reason] : cases) {
        Weights weights = one_to_twelve;
        const Status status = load_weights(path.c_str(), weights, any_parameters);
        CHECK(status.code() == LAMINA_BAD_FILE);
        CHECK_THAT(std::string(status.message()), Equals(path + ": " + reason));
        CHECK(weights == one_to_twelve);
    }
    const std::pair<std::string, std::string> unwritable[] = {
        {folder / "no/such/x", "cannot write: No such file or directory"},
        {folder / "taken", "cannot write: is not a regular file"},
        {folder / "pipe", "cannot write: is not a regular file"},
        {folder / "file/x", "cannot write: Not a directory"},
        {std::string(256, 'x'), "cannot write: File name too long"},
        {"/dev/full", "cannot write: is not a regular file"},
        {"/proc/x", "cannot write: No such file or directory"},
        {"", "cannot write: No such file or directory"},
    };
    for (const auto& [path, reason] : unwritable) {
        const Status status = save_weights(path.c_str(), one_to_twelve, any_parameters);
        CHECK(status.code() == LAMINA_BAD_FILE);
        CHECK_THAT(std::string(status.message()), Equals(path + ": " + reason));
    }
    CHECK(folder.names().size() == 3);
    CHECK(fs::is_empty(folder / "taken"));
    CHECK(fs::is_character_file("/dev/full"));
}

TEST_CASE("weights: on a full disk the old file stays, the reason is said, and nothing is left",
          "[weights]") {
    const TestFolder folder;
    write_text(folder / "old", "the old text");
    const std::vector<float> weights(100'000, 1.0F);
    const Parameter table[] = {{"x", {100'000}, 0}};
    for (const std::string name : {"old", "new"})
        for (const rlim_t room : {0, 4, 50, 4096}) {
            const std::string path = folder / name;
            const Status status = [&] {
                const SmallDisk disk(room);
                return save_weights(path.c_str(), weights, table);
            }();
            CHECK(status.code() == LAMINA_BAD_FILE);
            CHECK_THAT(std::string(status.message()), Equals(path + ": cannot write: File too large"));
        }
    CHECK(read_text(folder / "old") == "the old text");
    CHECK(folder.names() == std::vector<std::string>{"old"});
}

TEST_CASE("weights: an old file is replaced, and a link to it stays a link", "[weights]") {
    const TestFolder folder;
    write_text(folder / "x", std::string(1000, 'o'));
    fs::create_symlink("x", folder / "link");
    REQUIRE(save_weights((folder / "link").c_str(), one_to_twelve, any_parameters));
    CHECK(read_text(folder / "x") == saved_text());
    CHECK(fs::is_symlink(folder / "link"));
    CHECK(folder.names().size() == 2);
}

TEST_CASE("weights: a table that contradicts itself or the buffer is refused", "[weights]") {
    const TestFolder folder;
    struct Case {
        std::vector<Parameter> table;
        lamina_code code;
        std::string reason;
    };
    const Case cases[] = {
        {{{"a", {3, 4}, 1}}, LAMINA_BAD_SHAPE, "parameter 'a' does not lie within the 12 weights"},
        {{{"a", {1}, 12}}, LAMINA_BAD_SHAPE, "does not lie within"},
        {{{"a", {1}, SIZE_MAX}}, LAMINA_BAD_SHAPE, "does not lie within"},
        {{{"a", {INT64_MAX, INT64_MAX, 8}, 0}}, LAMINA_BAD_SHAPE, "does not lie within"},
        {{{"a", {}, 0}}, LAMINA_BAD_SHAPE, "does not lie within"},
        {{{"a", {0}, 0}}, LAMINA_BAD_SHAPE, "does not lie within"},
        {{{"a", {-1, -1}, 0}}, LAMINA_BAD_SHAPE, "does not lie within"},
        {{{"a", {1, 1, 1, 1, 1}, 0}}, LAMINA_BAD_SHAPE, "does not lie within"},
        {{{"b", {4}, 3}, {"a", {4}, 0}}, LAMINA_OVERLAP, "parameter 'b' shares values with 'a'"},
        {{{"a", {4}, 0}, {"a", {4}, 4}}, LAMINA_BAD_FILE, "tensor 'a': stands twice in the header"},
        {{{"__metadata__", {4}, 0}}, LAMINA_BAD_FILE, "__metadata__: expected strings, got a list"},
        {{{"\xff", {4}, 0}}, LAMINA_BAD_FILE, "there is no such parameter"},
    };
    const std::string path = folder / "x";
    for (const Case& c : cases) {
        INFO(c.reason);
        const Status saved = save_weights(path.c_str(), one_to_twelve, c.table);
        CHECK(saved.code() == c.code);
        CHECK_THAT(std::string(saved.message()), Contains(path + ": ") && Contains(c.reason));
        Weights weights = one_to_twelve;
        write_text(folder / "y", saved_text());
        const Status loaded = load_weights((folder / "y").c_str(), weights, c.table);
        CHECK(loaded.code() == c.code);
        CHECK(weights == one_to_twelve);
    }
    CHECK(folder.names() == std::vector<std::string>{"y"});
    Weights weights = one_to_twelve;
    CHECK(save_weights(nullptr, weights, any_parameters).code() == LAMINA_NULL_POINTER);
    CHECK(load_weights(nullptr, weights, any_parameters).code() == LAMINA_NULL_POINTER);
}

TEST_CASE("weights: a reason behind a long path is not cut off", "[weights]") {
    const std::string path(4000, 'p');
    const Status status = save_weights(path.c_str(), one_to_twelve, any_parameters);
    CHECK_THAT(std::string(status.message()), Contains("ppp: cannot write: File name too long"));
    const std::string name(5000, 'n');
    const Parameter table[] = {{name, {13}, 0}};
    const Status refused = save_weights("x", one_to_twelve, table);
    CHECK_THAT(std::string(refused.message()), Contains("nnn...' does not lie within the 12 weights"));
}

TEST_CASE("weights: wherever memory runs out, that is said and nothing has changed", "[weights]") {
    const TestFolder folder;
    const std::string path = folder / "x";
    const std::string before = "the old text";
    write_text(path, before);
    lamina_code code = LAMINA_OUT_OF_MEMORY;
    int failures = 0;
    for (; code == LAMINA_OUT_OF_MEMORY && read_text(path) == before; ++failures) {
        allocations_left = failures;
        code = save_weights(path.c_str(), one_to_twelve, any_parameters).code();
        allocations_left = -1;
        REQUIRE(folder.names().size() == 1);
    }
    CHECK(failures > 10);
    CHECK(code == LAMINA_OK);
    CHECK(read_text(path) == saved_text());
    Weights weights{};
    code = LAMINA_OUT_OF_MEMORY;
    for (failures = 0; code == LAMINA_OUT_OF_MEMORY && weights == Weights{}; ++failures) {
        allocations_left = failures;
        code = load_weights(path.c_str(), weights, any_parameters).code();
        allocations_left = -1;
    }
    CHECK(failures > 3);
    CHECK(code == LAMINA_OK);
    CHECK(weights[10] == one_to_twelve[10]);
}
