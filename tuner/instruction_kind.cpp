#include "tuner/instruction_kind.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <span>

namespace lamina {

namespace {

struct DotProduct {
    std::string_view mnemonic; // what it begins with
    int products;              // per 32-bit lane
};
constexpr DotProduct dot_products[] = {
    {"pdpbusd", 4}, {"pdpwssd", 2}, {"dpbf16ps", 2}, {"pmaddwd", 2}, {"sdot", 4},  {"udot", 4},
    {"usdot", 4},   {"sudot", 4},   {"bfdot", 2},    {"bfmmla", 4},  {"smmla", 8}, {"ummla", 8},
};
constexpr std::string_view multiply_adds[] = {"fmadd", "fmsub", "fnmadd", "fnmsub",
                                              "fmla",  "fmls",  "mla",    "mls"};
constexpr std::string_view multiplications[] = {"mul", "fmul", "fnmul", "pmulld", "pmullw"};
constexpr std::string_view additions[] = {"add", "sub", "fadd", "fsub", "padd", "psub"};
constexpr std::string_view others[] = {"div",  "max",    "min",    "sqrt",  "pmax", "pmin", "fdiv", "fmax",
                                       "fmin", "fmaxnm", "fminnm", "fsqrt", "smax", "smin", "umax", "umin"};
constexpr std::string_view broadcasts[] = {"broadcast", "pbroadcast", "movddup", "ld1r", "dup"};
constexpr std::string_view shuffles[] = {"shufps", "pshufd", "permilps"};

bool begins_with_one_of(std::string_view word, std::span<const std::string_view> beginnings) {
    return std::any_of(beginnings.begin(), beginnings.end(),
                       [&](std::string_view beginning) { return word.starts_with(beginning); });
}

// Of x86's names, without the letter that marks the encoding of AVX.
std::string_view mnemonic_of(std::string_view text) {
    std::string_view word = text.substr(0, text.find(' '));
    if (word.starts_with('v'))
        word.remove_prefix(1);
    return word;
}

int x86_vector_bits(std::string_view text) {
    if (text.find("zmm") != text.npos)
        return 512;
    if (text.find("ymm") != text.npos)
        return 256;
    return text.find("xmm") != text.npos ? 128 : 0;
}

int bits_of_letter(char letter) {
    switch (letter) {
    case 'b':
        return 8;
    case 'h':
    case 'w':
        return 16;
    case 's':
        return 32;
    case 'd':
    case 'q':
        return 64;
    default:
        return 0;
    }
}

// Elements of an x86 vector instruction, 0 for one that is none.
int x86_elements(std::string_view mnemonic, std::string_view text) {
    const int bits = x86_vector_bits(text);
    if (bits == 0 || mnemonic.size() < 3)
        return 0;
    const std::string_view type = mnemonic.substr(mnemonic.size() - 2);
    if (mnemonic[0] == 'p') // integers: bytes, words, double and quad words
        return type[1] == 'd' ? bits / 32 : bits / std::max(8, bits_of_letter(type[1]));
    if (type == "ss" || type == "sd")
        return 1;
    return type == "ps" ? bits / 32 : (type == "pd" ? bits / 64 : 0);
}

// Elements of an arm instruction by the first operand's arrangement (v0.4s, z0.s, s0), 0 for general
// registers. Scalable vectors count as if of 128 bits.
int arm_elements(std::string_view text) {
    const std::size_t space = std::min(text.find(' '), text.size());
    const std::size_t begin = std::min(text.find_first_not_of("{ ", space), text.size());
    const std::string_view name = text.substr(begin, text.find_first_of(", }", begin) - begin);
    const std::size_t dot = name.find('.');
    if (name.size() < 2)
        return 0;
    if (dot == name.npos) {
        const bool is_float = std::string_view("hsd").find(name[0]) != name.npos;
        return is_float && std::isdigit(static_cast<unsigned char>(name[1])) != 0 ? 1 : 0;
    }
    int count = 0;
    for (const char c : name.substr(dot + 1)) {
        if (std::isdigit(static_cast<unsigned char>(c)) == 0)
            return count != 0 ? count : 128 / std::max(8, bits_of_letter(c));
        count = count * 10 + (c - '0');
    }
    return 0;
}

} // namespace

InstructionKind instruction_kind(std::string_view text) {
    InstructionKind kind;
    const std::string_view mnemonic = mnemonic_of(text);
    kind.is_broadcast = begins_with_one_of(mnemonic, broadcasts) || text.find("{1to") != text.npos ||
                        (begins_with_one_of(mnemonic, shuffles) && text.ends_with(", 0x0"));
    const bool is_x86 = x86_vector_bits(text) != 0;
    for (const DotProduct& dot : dot_products)
        if (mnemonic.starts_with(dot.mnemonic)) {
            const int lanes = is_x86 ? x86_vector_bits(text) / 32 : arm_elements(text);
            kind.products = kind.arithmetic_elements = lanes * dot.products;
            return kind;
        }
    const int elements = is_x86 ? x86_elements(mnemonic, text) : arm_elements(text);
    if (begins_with_one_of(mnemonic, multiply_adds))
        kind.products = elements;
    else if (begins_with_one_of(mnemonic, multiplications))
        kind.factors = elements;
    else if (begins_with_one_of(mnemonic, additions))
        kind.terms = elements;
    else if (!begins_with_one_of(mnemonic, others))
        return kind;
    kind.arithmetic_elements = elements;
    return kind;
}

bool is_on_stack(std::string_view text, bool has_frame_pointer) {
    const auto addresses_by = [&](std::string_view base) { return text.find(base) != text.npos; };
    return addresses_by("[rsp") || addresses_by("[sp") ||
           (has_frame_pointer && (addresses_by("[rbp") || addresses_by("[x29")));
}

bool sets_frame_pointer(std::string_view text) {
    return text.starts_with("mov rbp, rsp") || text.starts_with("mov x29, sp") ||
           text.starts_with("add x29, sp,");
}

} // namespace lamina
