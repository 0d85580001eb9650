// tests/laws/forwarding.hpp: a store in front of a store: a test overrides what shall be wrong.
#ifndef COFFER_TESTS_LAWS_FORWARDING_HPP
#define COFFER_TESTS_LAWS_FORWARDING_HPP

#include "any_store.hpp"

namespace laws {

class forwarding : public any_store {
    using optional = std::optional<std::string>;

public:
    explicit forwarding(any_store& to) : to_(&to) {}

    result<void> put(std::string_view key, std::string_view value) override {
        return to_->put(key, value);
    }
    result<bool> insert(std::string_view key, std::string_view value) override {
        return to_->insert(key, value);
    }
    result<bool> erase(std::string_view key) override { return to_->erase(key); }
    result<void> write(const changes& all) override { return to_->write(all); }
    result<void> clear() override { return to_->clear(); }

    result<optional> get(std::string_view key) const override { return to_->get(key); }
    result<optional> view(std::string_view key) const override { return to_->view(key); }
    result<std::vector<optional>> get_many(const std::vector<std::string>& keys,
                                           std::size_t places) const override {
        return to_->get_many(keys, places);
    }
    result<bool> contains(std::string_view key) const override { return to_->contains(key); }
    result<std::uint64_t> size() const override { return to_->size(); }
    result<bool> empty() const override { return to_->empty(); }
    result<rows> iterate() const override { return to_->iterate(); }
    result<rows> for_each(std::size_t most) const override { return to_->for_each(most); }

    result<rows> in(const part& wanted, bool reversed, std::size_t most) const override {
        return to_->in(wanted, reversed, most);
    }
    result<rows> for_each_in(const part& wanted, bool reversed, std::size_t most) const override {
        return to_->for_each_in(wanted, reversed, most);
    }
    result<rows> lower_bound(std::string_view key, std::size_t most) const override {
        return to_->lower_bound(key, most);
    }
    result<rows> upper_bound(std::string_view key, std::size_t most) const override {
        return to_->upper_bound(key, most);
    }
    result<rows> stepped(const part& wanted, std::string_view steps) const override {
        return to_->stepped(wanted, steps);
    }
    result<std::uint64_t> erase_range(std::string_view from, std::string_view to) override {
        return to_->erase_range(from, to);
    }

    result<void> flush() override { return to_->flush(); }
    result<void> sync() override { return to_->sync(); }
    result<void> compact() override { return to_->compact(); }
    result<void> close() override { return to_->close(); }
    result<void> refresh() override { return to_->refresh(); }
    [[nodiscard]] bool is_open() const noexcept override { return to_->is_open(); }
    result<coffer::store_stats> stats() const override { return to_->stats(); }
    result<coffer::recovery_report> recovery() const override { return to_->recovery(); }
    result<coffer::verify_report> verify() const override { return to_->verify(); }

    std::unique_ptr<any_store> move_out() override { return to_->move_out(); }
    void move_in(any_store& from) override { to_->move_in(from); }

protected:
    any_store* to_;
};

}  // namespace laws

#endif
