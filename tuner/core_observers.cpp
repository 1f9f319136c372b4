#include "tuner/core_observers.hpp"

#include "tuner/timing.hpp"

#include <algorithm>
#include <atomic>
#include <thread>

#include <sched.h>

namespace lamina {

namespace {

// Else a thread that is woken now finds no idle core and stays for milliseconds on that of the one that woke
// it.
void wait_until_asleep() {
    constexpr double seconds_to_sleep = 0.00005;
    for (const double begin = now_seconds(); now_seconds() - begin < seconds_to_sleep;)
        ;
}

} // namespace

// Who takes part in a look waits here for the others, awake: one that sleeps would begin late.
struct CoreObservers::Meeting {
    std::atomic<int> missing = 0, at_work = 0;

    void begin(int members) {
        at_work = members;
        missing = members;
    }
    void arrive() {
        missing.fetch_sub(1);
        wait_for(missing);
    }
    // The one that is waited for may need this core.
    static void wait_for(const std::atomic<int>& count) {
        for (int turn = 0; count.load(std::memory_order_acquire) > 0; ++turn)
            if (turn > 1000)
                std::this_thread::yield();
    }
};

struct CoreObservers::Observer {
    int core;
    double seen = 0;
    std::atomic<int> asked = 0; // how many times; negative at the end
    std::thread thread;

    Observer(int of_core, Look look, Meeting& meeting) : core(of_core) {
        thread = std::thread([this, look, &meeting] { observe(look, meeting); });
    }
    ~Observer() {
        asked = -1;
        asked.notify_one();
        thread.join();
    }

    void observe(Look look, Meeting& meeting) {
        allow_cores({core});
        for (int before = 0;; ++before) {
            asked.wait(before);
            if (asked < 0)
                return;
            meeting.arrive();
            seen = look();
            meeting.at_work.fetch_sub(1, std::memory_order_release);
        }
    }
};

CoreObservers::CoreObservers(Look look) : look_(look), meeting_(std::make_unique<Meeting>()) {
    const std::vector<int> cores = allowed_cores();
    if (cores.size() > 1)
        for (const int core : cores)
            observers_.push_back(std::make_unique<Observer>(core, look, *meeting_));
}

CoreObservers::~CoreObservers() = default;

double CoreObservers::least() {
    const int here = sched_getcpu();
    std::vector<Observer*> others;
    for (const auto& observer : observers_)
        if (observer->core != here)
            others.push_back(observer.get());
    meeting_->begin(static_cast<int>(others.size()) + 1);
    for (Observer* other : others) {
        other->asked.fetch_add(1);
        other->asked.notify_one();
    }
    meeting_->arrive();
    double least = look_();
    meeting_->at_work.fetch_sub(1);
    Meeting::wait_for(meeting_->at_work);
    wait_until_asleep();
    for (const Observer* other : others)
        least = std::min(least, other->seen);
    return least;
}

} // namespace lamina
