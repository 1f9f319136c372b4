// A thread on each core that this process may use, which sleeps until all look at their cores at the same
// time.
#pragma once

#include <memory>
#include <vector>

namespace lamina {

class CoreObservers {
public:
    using Look = double (*)();

    explicit CoreObservers(Look look);
    ~CoreObservers();
    CoreObservers(const CoreObservers&) = delete;
    CoreObservers& operator=(const CoreObservers&) = delete;

    // The least of what `look` gives on the calling thread's core and on the others, begun together.
    double least();

private:
    struct Observer;
    struct Meeting;
    Look look_;
    std::unique_ptr<Meeting> meeting_;
    std::vector<std::unique_ptr<Observer>> observers_; // one for each core, where there are several
};

} // namespace lamina
