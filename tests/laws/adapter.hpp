// tests/laws/adapter.hpp: one type of store behind the face of any_store.
//
// Thin on purpose: this is what is compiled for each of the 96 store types; laws are compiled once.
#ifndef COFFER_TESTS_LAWS_ADAPTER_HPP
#define COFFER_TESTS_LAWS_ADAPTER_HPP

#include <coffer/coffer.hpp>

#include <ranges>
#include <type_traits>

#include "any_store.hpp"

namespace laws {

/// What `call` throws, as the result that its try_ twin gives.
template <class T, class F>
result<T> caught(F&& call) {
    try {
        if constexpr (std::is_void_v<T>) {
            call();
            return {};
        } else {
            return call();
        }
    } catch (const coffer::error& cause) {
        return coffer::failure(cause);
    }
}

template <class S>
class adapter final : public any_store {
    using optional = std::optional<std::string>;
    using optionals = std::vector<optional>;

public:
    explicit adapter(S&& store) noexcept : store_(std::move(store)) {}

    result<void> put(std::string_view key, std::string_view value) override {
        if (!throws) return store_.try_put(key, value);
        return caught<void>([&] { store_.put(key, value); });
    }
    result<bool> insert(std::string_view key, std::string_view value) override {
        if (!throws) return store_.try_insert(key, value);
        return caught<bool>([&] { return store_.insert(key, value); });
    }
    result<bool> erase(std::string_view key) override {
        if (!throws) return store_.try_erase(key);
        return caught<bool>([&] { return store_.erase(key); });
    }
    result<void> write(const changes& all) override {
        typename S::batch batch;
        for (const change& each : all) {
            switch (each.is) {
                case change::kind::put:
                    if (throws) {
                        batch.put(each.key, each.value);
                    } else if (auto added = batch.try_put(each.key, each.value); !added) {
                        return added;
                    }
                    break;
                case change::kind::erase:
                    batch.erase(each.key);
                    break;
                case change::kind::clear:
                    batch.clear();
                    break;
            }
        }
        if (batch.size() != all.size() || batch.empty() != all.empty()) {
            return coffer::fail(errc::not_found, "a batch lost an operation");
        }
        if (!throws) return store_.try_write(batch);
        return caught<void>([&] { store_.write(batch); });
    }
    result<void> clear() override {
        if (!throws) return store_.try_clear();
        return caught<void>([&] { store_.clear(); });
    }

    result<optional> get(std::string_view key) const override {
        if (!throws) return store_.try_get(key);
        return caught<optional>([&] { return store_.get(key); });
    }
    result<optional> view(std::string_view key) const override {
        optional shown;
        const auto show = [&](std::string_view value) { shown.emplace(value); };
        auto found = throws ? caught<bool>([&] { return store_.view(key, show); })
                            : store_.try_view(key, show);
        if (!found) return found.failure();
        if (*found != shown.has_value()) {
            return coffer::fail(errc::not_found,
                                "view() says found and shows nothing, or the reverse");
        }
        return shown;
    }
    result<optionals> get_many(const std::vector<std::string>& keys,
                               std::size_t places) const override {
        optionals out(places);
        auto done = throws ? caught<void>([&] { store_.get_many(keys, out); })
                           : store_.try_get_many(keys, out);
        if (!done) return done.failure();
        return out;
    }
    result<bool> contains(std::string_view key) const override {
        if (!throws) return store_.try_contains(key);
        return caught<bool>([&] { return store_.contains(key); });
    }
    result<std::uint64_t> size() const override {
        if (!throws) return store_.try_size();
        return caught<std::uint64_t>([&] { return store_.size(); });
    }
    result<bool> empty() const override {
        if (!throws) return store_.try_empty();
        return caught<bool>([&] { return store_.empty(); });
    }

    result<rows> iterate() const override {
        return caught<rows>([&] {
            rows out;
            for (auto&& [key, value] : store_) out.push_back({key, value});
            return out;
        });
    }
    result<rows> for_each(std::size_t most) const override {
        rows out;
        const auto show = taking(out, most);
        auto done =
            throws ? caught<void>([&] { store_.for_each(show); }) : store_.try_for_each(show);
        if (!done) return done.failure();
        return out;
    }

    result<rows> in(const part& wanted, bool reversed, std::size_t most) const override {
        if constexpr (S::ordered) {
            return caught<rows>([&] {
                rows out;
                const auto size = static_cast<std::ptrdiff_t>(most);
                const auto range = range_of(wanted);
                if (reversed) {
                    for (auto&& [key, value] : range | std::views::reverse) {
                        if (out.size() == most) break;
                        out.push_back({key, value});
                    }
                } else if (most != all_of_them) {
                    for (auto&& [key, value] : range | std::views::take(size)) {
                        out.push_back({key, value});
                    }
                } else {
                    for (auto&& [key, value] : range) out.push_back({key, value});
                }
                return out;
            });
        } else {
            return unordered(wanted, reversed, most);
        }
    }
    result<rows> for_each_in(const part& wanted, bool reversed, std::size_t most) const override {
        if constexpr (S::ordered) {
            rows out;
            const auto show = taking(out, most);
            const bool all = wanted.is == part::kind::from && wanted.low.empty();
            auto done = caught<void>([&] {
                if (!reversed && throws) {
                    store_.for_each(range_of(wanted), show);
                } else if (!reversed) {
                    store_.try_for_each(range_of(wanted), show).value();
                } else if (throws && all) {
                    store_.for_each_back(show);
                } else if (throws) {
                    store_.for_each_back(range_of(wanted), show);
                } else if (all) {
                    store_.try_for_each_back(show).value();
                } else {
                    store_.try_for_each_back(range_of(wanted), show).value();
                }
            });
            if (!done) return done.failure();
            return out;
        } else {
            return unordered(wanted, reversed, most);
        }
    }
    result<rows> lower_bound(std::string_view key, std::size_t most) const override {
        if constexpr (S::ordered) {
            return caught<rows>([&] { return from_iterator(store_.lower_bound(key), most); });
        } else {
            return unordered(key, most);
        }
    }
    result<rows> upper_bound(std::string_view key, std::size_t most) const override {
        if constexpr (S::ordered) {
            return caught<rows>([&] { return from_iterator(store_.upper_bound(key), most); });
        } else {
            return unordered(key, most);
        }
    }
    result<rows> stepped(const part& wanted, std::string_view steps) const override {
        if constexpr (S::ordered) {
            return caught<rows>([&] { return step_through(range_of(wanted), steps); });
        } else {
            return unordered(wanted, steps);
        }
    }
    result<std::uint64_t> erase_range(std::string_view from, std::string_view to) override {
        if constexpr (S::ordered) {
            if (!throws) return store_.try_erase_range(from, to);
            return caught<std::uint64_t>([&] { return store_.erase_range(from, to); });
        } else {
            return coffer::fail(errc::invalid_argument, "no order");
        }
    }

    result<void> flush() override {
        return throws ? caught<void>([&] { store_.flush(); }) : store_.try_flush();
    }
    result<void> sync() override {
        return throws ? caught<void>([&] { store_.sync(); }) : store_.try_sync();
    }
    result<void> compact() override {
        return throws ? caught<void>([&] { store_.compact(); }) : store_.try_compact();
    }
    result<void> close() override {
        return throws ? caught<void>([&] { store_.close(); }) : store_.try_close();
    }
    result<void> refresh() override {
        return throws ? caught<void>([&] { store_.refresh(); }) : store_.try_refresh();
    }
    [[nodiscard]] bool is_open() const noexcept override { return store_.is_open(); }
    result<coffer::store_stats> stats() const override {
        if (!throws) return store_.try_stats();
        return caught<coffer::store_stats>([&] { return store_.stats(); });
    }
    result<coffer::recovery_report> recovery() const override {
        if (!throws) return store_.try_recovery();
        return caught<coffer::recovery_report>([&] { return store_.recovery(); });
    }
    result<coffer::verify_report> verify() const override {
        if (!throws) return store_.try_verify();
        return caught<coffer::verify_report>([&] { return store_.verify(); });
    }

    std::unique_ptr<any_store> move_out() override {
        static_assert(std::is_nothrow_move_constructible_v<S> &&
                      std::is_nothrow_move_assignable_v<S>);
        return std::make_unique<adapter>(std::move(store_));
    }
    void move_in(any_store& from) override {
        store_ = std::move(static_cast<adapter&>(from).store_);
    }

private:
    static auto taking(rows& out, std::size_t most) {
        return [&out, most](std::string_view key, std::string_view value) {
            out.push_back({std::string(key), std::string(value)});
            return out.size() < most;
        };
    }

    [[nodiscard]] auto range_of(const part& wanted) const {
        switch (wanted.is) {
            case part::kind::scan:
                return store_.scan(wanted.low, wanted.high);
            case part::kind::range:
                return store_.range(wanted.low, wanted.high);
            case part::kind::from:
                return store_.from(wanted.low);
            case part::kind::prefix:
                break;
        }
        return store_.prefix(wanted.low);
    }

    template <class It>
    [[nodiscard]] rows from_iterator(It at, std::size_t most) const {
        rows out;
        for (; out.size() < most && at != store_.end(); ++at)
            out.push_back({(*at).key, (*at).value});
        return out;
    }

    template <class R>
    [[nodiscard]] static rows step_through(const R& range, std::string_view steps) {
        rows out;
        const auto first = range.begin();
        const auto last = range.end();
        auto at = first;
        for (const char step : steps) {
            if (step == '+' && at != last) ++at;
            if (step == '-' && at != first) --at;
            if (at == last) {
                out.push_back({});
            } else {
                out.push_back({(*at).key, (*at).value});
            }
        }
        return out;
    }

    template <class... Ignored>
    [[nodiscard]] static coffer::failure unordered(const Ignored&...) {
        return coffer::fail(errc::invalid_argument, "no order");
    }

    S store_;
};

template <class S>
result<std::unique_ptr<any_store>> open_as(const place& where, const coffer::options& chosen,
                                           bool reads) {
    typename S::file_system_type system;
    if constexpr (std::is_same_v<typename S::file_system_type, coffer::fs::simulated>)
        system = where.disk;
    auto made = reads ? S::try_open_read_only(where.path, chosen, system)
                      : S::try_open(where.path, chosen, system);
    if (!made) return made.failure();
    return std::unique_ptr<any_store>(std::make_unique<adapter<S>>(std::move(*made)));
}

}  // namespace laws

#endif
