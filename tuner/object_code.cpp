#include "tuner/object_code.hpp"

#include <fmt/format.h>
#include <llvm/Object/ELF.h>

#include <fstream>
#include <sstream>

namespace lamina {

namespace {

// llvm::object::ObjectFile ends the process for some damaged symbols; the accessors of ELFFile return errors.
using Elf = llvm::object::ELFFile<llvm::object::ELF64LE>;
using Section = Elf::Elf_Shdr;
using Symbol = Elf::Elf_Sym;

std::string text(llvm::Error error) {
    return llvm::toString(std::move(error));
}

// Why this header is none that can be read, or "".
std::string read_header(std::string_view object, Architecture& architecture) {
    if (object.size() < sizeof(Elf::Elf_Ehdr) || !object.starts_with("\x7f"
                                                                     "ELF"))
        return "not an ELF object";
    if (object[llvm::ELF::EI_CLASS] != llvm::ELF::ELFCLASS64 ||
        object[llvm::ELF::EI_DATA] != llvm::ELF::ELFDATA2LSB)
        return "not a 64-bit little-endian object";
    const auto& header = *reinterpret_cast<const Elf::Elf_Ehdr*>(object.data());
    if (header.e_type != llvm::ELF::ET_REL)
        return "not an object file, but another kind of ELF file";
    if (header.e_machine != llvm::ELF::EM_X86_64 && header.e_machine != llvm::ELF::EM_AARCH64)
        return fmt::format("code for machine {}, which is neither x86-64 nor arm-64",
                           static_cast<unsigned>(header.e_machine));
    architecture = header.e_machine == llvm::ELF::EM_X86_64 ? Architecture::x86_64 : Architecture::arm_64;
    return "";
}

// Appends the functions that this table of symbols names. Returns what is wrong, or "".
std::string read_functions(const Elf& elf, llvm::ArrayRef<Section> sections, const Section& table,
                           std::vector<CodeFunction>& functions) {
    auto symbols = elf.symbols(&table);
    if (!symbols)
        return text(symbols.takeError());
    auto names = elf.getStringTableForSymtab(table, sections);
    if (!names)
        return text(names.takeError());
    for (const Symbol& symbol : *symbols) {
        if (symbol.getType() != llvm::ELF::STT_FUNC || symbol.st_shndx == llvm::ELF::SHN_UNDEF)
            continue;
        auto name = symbol.getName(*names);
        if (!name)
            return text(name.takeError());
        if (symbol.st_shndx >= sections.size())
            return fmt::format("function {} lies in no section", name->str());
        auto bytes = elf.getSectionContents(sections[symbol.st_shndx]);
        if (!bytes)
            return text(bytes.takeError());
        if (symbol.st_value > bytes->size() || symbol.st_size > bytes->size() - symbol.st_value)
            return fmt::format("function {} goes past the end of its section", name->str());
        const llvm::ArrayRef<std::uint8_t> code = bytes->slice(symbol.st_value, symbol.st_size);
        functions.push_back({name->str(), {code.begin(), code.end()}});
    }
    return "";
}

} // namespace

ObjectCode read_object_code(std::string_view object) {
    ObjectCode result;
    result.error = read_header(object, result.architecture);
    if (!result.error.empty())
        return result;
    auto elf = Elf::create(llvm::StringRef(object.data(), object.size()));
    if (!elf)
        return {{}, {}, text(elf.takeError())};
    auto sections = elf->sections();
    if (!sections)
        return {{}, {}, text(sections.takeError())};
    for (const Section& section : *sections)
        if (section.sh_type == llvm::ELF::SHT_SYMTAB && result.error.empty())
            result.error = read_functions(*elf, *sections, section, result.functions);
    if (result.error.empty() && result.functions.empty())
        result.error = "no functions";
    return result;
}

std::string file_bytes(const std::string& path) {
    std::ostringstream bytes;
    bytes << std::ifstream(path, std::ios::binary).rdbuf();
    return bytes.str();
}

} // namespace lamina
