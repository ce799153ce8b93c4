#include "load/pipeline.h"

#include <chrono>
#include <condition_variable>
#include <exception>
#include <map>
#include <mutex>
#include <thread>

#include "error.h"
#include "server/interrupt.h"

namespace vext::client {

namespace {

class Pipeline {
   public:
    Pipeline(std::vector<std::unique_ptr<Input>>& inputs, const Plan& plan,
             const std::vector<Sink*>& sinks, const PipelineOptions& options)
        : inputs_(inputs), plan_(plan), sinks_(sinks), options_(options) {
        n_window_ = options.n_encoders + sinks.size() + 2;
    }

    PipelineCounts
    run() {
        std::vector<std::thread> threads;
        for (std::size_t i = 0; i < options_.n_encoders; ++i)
            threads.emplace_back([this] { guard([this] { encode_pieces(); }); });
        n_sinks_running_ = sinks_.size();
        for (Sink* sink : sinks_)
            threads.emplace_back([this, sink] { run_sink(*sink); });
        watch();
        for (std::thread& thread : threads)
            thread.join();
        if (error_)
            std::rethrow_exception(error_);
        return counts_;
    }

   private:
    using Lock = std::unique_lock<std::mutex>;

    template <typename Work>
    void
    guard(Work work) {
        try {
            work();
        } catch (...) {
            fail(std::current_exception());
        }
    }

    void
    fail(std::exception_ptr error) {
        {
            const Lock lock(mutex_);
            // What other threads say afterwards is a consequence.
            if (!error_)
                error_ = std::move(error);
        }
        changed_.notify_all();
        // Others may be waiting for their servers.
        cancel_all_statements();
    }

    void
    encode_pieces() {
        Encoder encoder(plan_, inputs_);
        Piece piece;
        for (;;) {
            std::unique_ptr<Encoded> encoded = take_spare();
            std::uint64_t number = 0;
            std::size_t input = 0;
            std::uint64_t base = 0;
            {
                Lock cutting(cutting_);
                if (!wait_for_room())
                    return;
                if (!cut(piece, *encoded))
                    return;
                number = claim_number();
                input = current_input_;
                base = base_;
            }
            encoder.encode(piece, input, base, done_of(input), *encoded);
            {
                const Lock lock(mutex_);
                ready_.emplace(number, std::move(encoded));
            }
            changed_.notify_all();
        }
    }

    /// Memory that has been a piece before is there already, and as large as pieces get.
    std::unique_ptr<Encoded>
    take_spare() {
        const Lock lock(mutex_);
        if (spare_.empty())
            return std::make_unique<Encoded>();
        std::unique_ptr<Encoded> encoded = std::move(spare_.back());
        spare_.pop_back();
        return encoded;
    }

    std::uint64_t
    claim_number() {
        const Lock lock(mutex_);
        return n_cut_++;
    }

    /// Holds `cutting_`: the next piece may be cut when the window has room for it.
    bool
    wait_for_room() {
        Lock lock(mutex_);
        changed_.wait(lock, [this] { return error_ || n_cut_ < n_taken_ + n_window_; });
        return !error_;
    }

    /// Holds `cutting_`. Goes on with the next input at the end of one.
    bool
    cut(Piece& piece, Encoded& encoded) {
        while (current_input_ < inputs_.size()) {
            check_interrupt();
            Input& input = *inputs_[current_input_];
            if (input.next(piece)) {
                n_rows_of_input_ = piece.first_row + piece.n_rows - 1;
                encoded.n_stored_read = n_stored_before_ + input.n_stored_read();
                return true;
            }
            base_ += n_rows_of_input_;
            n_rows_of_input_ = 0;
            n_stored_before_ += input.n_stored_read();
            ++current_input_;
        }
        {
            const Lock lock(mutex_);
            n_in_all_ = n_cut_;
        }
        changed_.notify_all();
        return false;
    }

    const std::vector<RowRange>&
    done_of(std::size_t input) const {
        static const std::vector<RowRange> kNone;
        return input < options_.done.size() ? options_.done[input] : kNone;
    }

    void
    run_sink(Sink& sink) {
        guard([&] {
            while (std::unique_ptr<Encoded> piece = take()) {
                sink.put(*piece);
                const Lock lock(mutex_);
                counts_.n_sent += piece->n_sent;
                spare_.push_back(std::move(piece));
            }
            {
                const Lock lock(mutex_);
                if (error_)
                    return;
            }
            sink.finish();
        });
        bool has_failed = false;
        {
            const Lock lock(mutex_);
            has_failed = error_ != nullptr;
        }
        if (has_failed)
            sink.abandon();
        {
            const Lock lock(mutex_);
            --n_sinks_running_;
        }
        changed_.notify_all();
    }

    /// The next piece in order; nothing at the end, or after an error.
    std::unique_ptr<Encoded>
    take() {
        const Lock taking(taking_);
        std::unique_ptr<Encoded> piece;
        {
            Lock lock(mutex_);
            changed_.wait(lock, [this] {
                return error_ || ready_.contains(n_taken_) || n_in_all_ == n_taken_;
            });
            if (error_ || !ready_.contains(n_taken_))
                return nullptr;
            piece = std::move(ready_.extract(n_taken_).mapped());
            ++n_taken_;
            counts_.n_skipped += piece->n_skipped;
            counts_.n_rejected += piece->rejects.size();
            counts_.n_stored_read = piece->n_stored_read;
        }
        changed_.notify_all();
        if (options_.on_piece)
            options_.on_piece(*piece);
        return piece;
    }

    void
    watch() {
        using namespace std::chrono_literals;
        Lock lock(mutex_);
        while (n_sinks_running_ > 0) {
            const PipelineCounts counts = counts_;
            lock.unlock();
            if (is_interrupted())
                fail(std::make_exception_ptr(Interrupted()));
            if (options_.on_tick)
                guard([&] { options_.on_tick(counts); });
            lock.lock();
            changed_.wait_for(lock, 100ms, [this] { return n_sinks_running_ == 0; });
        }
    }

    std::vector<std::unique_ptr<Input>>& inputs_;
    const Plan& plan_;
    const std::vector<Sink*>& sinks_;
    const PipelineOptions& options_;
    std::size_t n_window_;

    std::mutex cutting_;  ///< taken before mutex_; the inputs, and these:
    std::size_t current_input_ = 0;
    std::uint64_t base_ = 0;
    std::uint64_t n_rows_of_input_ = 0;
    std::uint64_t n_stored_before_ = 0;

    std::mutex taking_;  ///< taken before mutex_; orders on_piece

    std::mutex mutex_;  ///< these:
    std::condition_variable changed_;
    std::map<std::uint64_t, std::unique_ptr<Encoded>> ready_;  ///< by number
    std::vector<std::unique_ptr<Encoded>> spare_;
    std::uint64_t n_cut_ = 0;  ///< written under cutting_, too
    std::uint64_t n_taken_ = 0;
    std::uint64_t n_in_all_ = UINT64_MAX;  ///< known at the end
    std::size_t n_sinks_running_ = 0;
    std::exception_ptr error_;
    PipelineCounts counts_;
};

}  // namespace

PipelineCounts
run_pipeline(std::vector<std::unique_ptr<Input>>& inputs, const Plan& plan,
             const std::vector<Sink*>& sinks, const PipelineOptions& options) {
    return Pipeline(inputs, plan, sinks, options).run();
}

}  // namespace vext::client
