// bench/versus/postgresql_cluster.hpp: a PostgreSQL server of our own, as long as one run takes.
//
// initdb makes a cluster in the run's folder; the server is a child process that listens on an
// abstract Unix socket only. It does not run as root: a run of root's makes it the user postgres,
// or nobody. It ends with the run, however that ends: the destructor stops it, so does an exit in
// between, and when the process is killed the system tells the server. A server of the system, if
// there is one, is not touched.
#ifndef COFFER_BENCH_VERSUS_POSTGRESQL_CLUSTER_HPP
#define COFFER_BENCH_VERSUS_POSTGRESQL_CLUSTER_HPP

#include "subject.hpp"

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace versus {

class postgresql_cluster {
public:
    /// `options` are settings of the server, "name=value".
    postgresql_cluster(const std::string& folder, const std::vector<std::string>& options)
        : folder_(std::filesystem::absolute(folder)),
          socket_("@coffer-versus-" + std::to_string(::getpid())) {
        const std::string data = folder_ / "db";
        if (!std::filesystem::exists(data)) {
            std::filesystem::create_directory(data);
            hand_over(data);
            const ::pid_t made = start({"initdb", "-D", data, "-U", "coffer", "-A", "trust", "-E",
                                        "UTF8", "--locale=C", "--no-sync", "--no-instructions"});
            int status = 0;
            ::waitpid(made, &status, 0);
            check(WIFEXITED(status) && WEXITSTATUS(status) == 0, "initdb failed");
        }
        std::vector<std::string> command = {"postgres", "-D", data, "-k", socket_};
        for (const auto& each : options) command.insert(command.end(), {"-c", each});
        server_ = running_ = start(command);
        static const int at_exit = std::atexit([] {
            if (running_ != 0) end(running_, SIGQUIT);
        });
        check(at_exit == 0, "atexit");
    }
    ~postgresql_cluster() {
        end(server_, SIGINT);
        running_ = 0;
    }
    postgresql_cluster(const postgresql_cluster&) = delete;
    postgresql_cluster& operator=(const postgresql_cluster&) = delete;

    /// What a client connects to.
    [[nodiscard]] const std::string& socket() const { return socket_; }

    [[nodiscard]] bool alive() const { return ::waitpid(server_, nullptr, WNOHANG) == 0; }

    /// Ends the program with what the server had to say if `holds` is false.
    void check(bool holds, const std::string& what) const {
        if (holds) return;
        std::ifstream log(log_file());
        for (std::string line; std::getline(log, line);) std::fprintf(stderr, "%s\n", line.c_str());
        must(false, what.c_str());
    }

private:
    [[nodiscard]] static const ::passwd* user() {
        if (::geteuid() != 0) return nullptr;
        const ::passwd* found = ::getpwnam("postgres");
        if (found == nullptr) found = ::getpwnam("nobody");
        must(found != nullptr, "neither postgres nor nobody is a user here");
        return found;
    }
    [[nodiscard]] std::string log_file() const { return folder_ / "postgresql.log"; }

    static void hand_over(const std::string& path) {
        if (const ::passwd* to = user()) {
            must(::chown(path.c_str(), to->pw_uid, to->pw_gid) == 0, "chown of the cluster");
        }
        must(::chmod(path.c_str(), 0700) == 0, "chmod of the cluster");
    }

    /// A program of the server's in a process of its own, with its output in the log.
    [[nodiscard]] ::pid_t start(const std::vector<std::string>& command) const {
        const ::passwd* as = user();
        const std::string program = std::string(COFFER_POSTGRESQL_BIN) + "/" + command[0];
        const int log = ::open(log_file().c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
        std::vector<char*> words;
        for (const auto& each : command) words.push_back(const_cast<char*>(each.c_str()));
        words.push_back(nullptr);
        const ::pid_t parent = ::getpid();
        const ::pid_t child = ::fork();
        must(child >= 0, "fork");
        if (child == 0) {
            ::dup2(log, STDOUT_FILENO);
            ::dup2(log, STDERR_FILENO);
            const bool changed =
                as == nullptr || (::initgroups(as->pw_name, as->pw_gid) == 0 &&
                                  ::setgid(as->pw_gid) == 0 && ::setuid(as->pw_uid) == 0);
            // Only after the change of user, which would undo it.
            if (changed && ::prctl(PR_SET_PDEATHSIG, SIGQUIT) == 0 && ::getppid() == parent &&
                ::chdir((folder_ / "db").c_str()) == 0) {
                ::execv(program.c_str(), words.data());
            }
            std::perror(("versus: " + program + " in " + folder_.string()).c_str());
            std::_Exit(126);
        }
        ::close(log);
        return child;
    }
    static void end(::pid_t server, int signal) {
        ::kill(server, signal);
        while (::waitpid(server, nullptr, 0) < 0 && errno == EINTR) {
        }
    }

    static inline ::pid_t running_ = 0;

    std::filesystem::path folder_;
    std::string socket_;
    ::pid_t server_ = 0;
};

}  // namespace versus

#endif
