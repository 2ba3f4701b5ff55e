#include "agent/aws/session_setup.hpp"

#include "agent/aws/endpoint.hpp"
#include "common/overloaded.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace vipd::aws {

http_exchange_id session_outputs::put(http_exchange exchange)
{
    exchange.id = exchange_ids_.next();
    const auto id = exchange.id;
    queue_.emplace_back(std::move(exchange));
    return id;
}

file_read_id session_outputs::read(std::string path)
{
    const auto id = read_ids_.next();
    queue_.emplace_back(read_file{id, std::move(path)});
    return id;
}

file_write_id session_outputs::write(std::string path, std::string content)
{
    const auto id = write_ids_.next();
    queue_.emplace_back(write_file{id, std::move(path), std::move(content)});
    return id;
}

std::optional<session_output> session_outputs::take()
{
    if (queue_.empty()) {
        return std::nullopt;
    }
    auto output = std::move(queue_.front());
    queue_.pop_front();
    return output;
}

session_setup::session_setup(const session_settings& settings, const environment& variables, random_source& seeds,
                             log_sink& log, session_outputs& outputs) :
    settings_(settings),
    variables_(variables),
    log_(log),
    outputs_(outputs),
    random_(seeds.next()),
    plan_backoff_({.base = std::chrono::seconds{5}, .cap = std::chrono::seconds{60}}),
    keeper_(seeds.next(), log),
    probe_(seeds.next()),
    notices_(seeds.next()),
    identity_cache_(settings.identity_cache, settings.boot_id, log)
{}

void session_setup::start(instant now)
{
    read_profile_files(now);
}

void session_setup::read_profile_files(instant now)
{
    const auto files = shared_files_of(variables_);
    credentials_file_.path = files.credentials;
    credentials_file_.named = variables_.get("AWS_SHARED_CREDENTIALS_FILE").has_value();
    config_file_.path = files.config;
    config_file_.named = variables_.get("AWS_CONFIG_FILE").has_value();
    plan_retry_at_ = never;
    for (auto* file : {&credentials_file_, &config_file_}) {
        if (!file->path.empty()) {
            file->reading = outputs_.read(file->path);
        }
    }
    if (!credentials_file_.reading && !config_file_.reading) {
        follow_plan(now);
    }
}

bool session_setup::take_profile_file(file_read_id id, result<std::string>& content)
{
    for (auto* file : {&credentials_file_, &config_file_}) {
        if (file->reading == id) {
            file->reading.reset();
            file->content = std::move(content);
            return true;
        }
    }
    return false;
}

// A file that nobody named need not be there, and one that this process may not read counts as absent.
result<profile_settings> session_setup::profile_from_files() const
{
    std::array<ini_file, 2> files;
    const std::array read = {&credentials_file_, &config_file_};
    for (std::size_t i = 0; i < files.size(); ++i) {
        const auto& content = read[i]->content;
        if (!content && content.error().kind != error_class::not_found && read[i]->named) {
            return content.error();
        }
        auto parsed = parse_ini(content ? std::string_view{*content} : std::string_view{}, read[i]->path);
        if (!parsed) {
            return parsed.error();
        }
        files[i] = std::move(*parsed);
    }
    return read_profile({files[0], files[1]}, choose_profile(settings_.profile, variables_).name);
}

void session_setup::follow_plan(instant now)
{
    const auto profile = profile_from_files();
    plan_ = plan_session(settings_, variables_, profile);
    waits_for_files_ = !profile && !plan_->credentials;
    if (!endpoint_) {
        region_ = plan_->region;
        region_is_cached_ = false;
    }
    std::string problem;
    if (!plan_->credentials) {
        problem = plan_->credentials.error().text;
    } else if (!plan_->imds) {
        problem = plan_->imds.error().text;
    }
    const bool wants_imds = settings_.needs_identity || region_.empty();
    if (plan_->imds && *plan_->imds && !imds_) {
        imds_.emplace(**plan_->imds);
    }
    if (imds_ && wants_imds && !probe_started_) {
        probe_started_ = true;
        probe_.start(now.steady);
        if (auto file = identity_cache_.file_to_read()) {
            identity_read_ = outputs_.read(std::move(*file));
        }
    }
    if (problem.empty() && wants_imds && !imds_) {
        problem = region_.empty()
                      ? "no region: set region in [aws] or AWS_REGION, since AWS_EC2_METADATA_DISABLED forbids asking IMDS"
                      : "no identity: AWS_EC2_METADATA_DISABLED forbids asking IMDS, so name the interface_id of each "
                        "route";
    }
    set_problem(plan_problem_, problem);
    if (!problem.empty()) {
        retry_plan(now);
    }
}

// A person mends the files; nothing else about a plan that cannot be followed changes while this process runs.
void session_setup::retry_plan(instant now)
{
    if (plan_retry_at_ == never) {
        plan_retry_at_ = now.steady + plan_backoff_.next(random_);
    }
}

void session_setup::start_keeper(instant now)
{
    if (keeper_started_ || !plan_ || !plan_->credentials) {
        return;
    }
    const auto& plan = *plan_->credentials;
    if (needs_imds(plan) && !imds_) {
        return;
    }
    std::optional<sts_place> sts;
    if (needs_sts(plan)) {
        if (region_.empty()) {
            return;
        }
        auto choice = plan_->sts;
        choice.region = region_;
        auto origin = resolve_endpoint(choice);
        if (!origin) {
            set_problem(sts_problem_, "STS: " + origin.error().text);
            retry_plan(now);
            return;
        }
        sts_origin_ = *origin;
        sts = sts_place{std::move(*origin), region_};
    }
    set_problem(sts_problem_, {});
    keeper_started_ = true;
    keeper_.start(now, plan, std::move(sts));
}

// Where nobody else names the region, the identity does; and IMDS corrects what the cache said.
void session_setup::find_region()
{
    const auto& known = identity();
    if (!known || !(region_.empty() || region_is_cached_)) {
        return;
    }
    region_is_cached_ = identity_from() == identity_source::cache;
    if (region_ == known->region) {
        return;
    }
    region_ = known->region;
    if (endpoint_) {
        outputs_.put_event(keep_warm{*endpoint_, 0});
        endpoint_.reset();
    }
}

void session_setup::find_endpoint(instant now)
{
    find_region();
    if (endpoint_ || region_.empty() || !plan_ || waits_for_files_) {
        return;
    }
    auto choice = plan_->ec2;
    choice.region = region_;
    auto origin = resolve_endpoint(choice);
    if (!origin) {
        set_problem(endpoint_problem_, origin.error().text);
        retry_plan(now);
        return;
    }
    set_problem(endpoint_problem_, {});
    endpoint_ = std::move(*origin);
    log_.info("aws_endpoint", {{"region", region_}, {"endpoint", to_string(*endpoint_)}});
    outputs_.put_event(keep_warm{*endpoint_, settings_.warm_connections});
}

void session_setup::set_problem(std::string& which, std::string text)
{
    if (which == text) {
        return;
    }
    which = std::move(text);
    if (!which.empty()) {
        log_.warning("aws_settings", {{"problem", which}});
    }
}

// Until nothing moves: an answer leads to the next question. It ends because each question goes out and waits for the shell.
void session_setup::advance(instant now)
{
    bool moved = true;
    while (moved) {
        find_endpoint(now);
        start_keeper(now);
        moved = pass_imds_answers(now);
        moved = pass_questions(now) || moved;
    }
    log_imds_problem();
    if (probe_.take_changed()) {
        take_identity(now);
    }
}

// What IMDS says replaces the stand-in; where both agree, nobody needs to do anything about it.
void session_setup::take_identity(instant now)
{
    const auto& found = *probe_.identity();
    const bool is_news = identity_cache_.stand_in() != found;
    if (auto content = identity_cache_.replace(now.steady, found)) {
        identity_write_ = outputs_.write(identity_cache_.path(), std::move(*content));
    }
    announce_identity();
    if (is_news) {
        outputs_.put_event(identity_changed{});
    }
}

void session_setup::announce_identity()
{
    const auto& known = *identity();
    log_.info("identity", {{"instance", known.instance.str()},
                           {"zone", known.availability_zone},
                           {"interfaces", known.interfaces.size()},
                           {"source", to_string(identity_from())}});
}

bool session_setup::pass_imds_answers(instant now)
{
    bool moved = false;
    while (imds_) {
        auto answer = imds_->poll_answer();
        if (!answer) {
            break;
        }
        moved = true;
        if (answer->ticket == probe_ticket_) {
            probe_ticket_.reset();
            probe_.handle(now.steady, std::move(answer->body));
        } else if (answer->ticket == notices_ticket_) {
            notices_ticket_.reset();
            notices_.handle(now, answer->body);
        } else if (answer->ticket == credentials_ticket_) {
            credentials_ticket_.reset();
            keeper_.handle(now, std::move(answer->body));
        }
    }
    return moved;
}

bool session_setup::pass_questions(instant now)
{
    bool moved = false;
    if (keeper_started_) {
        if (auto question = keeper_.poll_question(now)) {
            ask_for_credentials(std::move(*question));
            moved = true;
        }
    }
    if (!imds_) {
        return moved;
    }
    if (auto path = probe_.poll_path(now.steady)) {
        probe_ticket_ = imds_->get(std::move(*path));
        moved = true;
    }
    if (auto path = notices_.poll_path(now.steady)) {
        notices_ticket_ = imds_->get(std::move(*path));
        moved = true;
    }
    if (auto exchange = imds_->poll_request(now.steady)) {
        imds_exchange_ = outputs_.put(std::move(*exchange));
        moved = true;
    }
    return moved;
}

void session_setup::ask_for_credentials(credential_question&& question)
{
    std::visit(overloaded{
                   [&](ask_imds&& ask) { credentials_ticket_ = imds_->get(std::move(ask.path)); },
                   [&](ask_file&& ask) { credentials_read_ = outputs_.read(std::move(ask.path)); },
                   [&](http_exchange&& exchange) {
                       const bool to_sts = exchange.origin == sts_origin_;
                       credentials_exchange_ = outputs_.put(std::move(exchange));
                       sts_exchange_ = to_sts ? credentials_exchange_ : std::nullopt;
                   },
               },
               std::move(question));
}

void session_setup::log_imds_problem()
{
    const auto& problem = probe_.problem();
    if (problem == logged_imds_problem_) {
        return;
    }
    logged_imds_problem_ = problem;
    if (problem.empty()) {
        log_.info("imds", {{"state", "answers"}});
    } else {
        log_.warning("imds", {{"state", "failing"}, {"problem", problem}, {"identity_known", identity().has_value()}});
    }
}

bool session_setup::handle_http(instant now, http_exchange_id id, http_result& result)
{
    if (id == imds_exchange_) {
        imds_exchange_.reset();
        imds_->handle(now.steady, std::move(result));
        return true;
    }
    if (id == credentials_exchange_) {
        credentials_exchange_.reset();
        keeper_.handle(now, std::move(result));
        return true;
    }
    return false;
}

bool session_setup::handle_file(instant now, file_read_id id, result<std::string>& content)
{
    if (id == credentials_read_) {
        credentials_read_.reset();
        keeper_.handle(now, std::move(content));
        return true;
    }
    if (id == identity_read_) {
        identity_read_.reset();
        take_cached_identity(content);
        return true;
    }
    if (!take_profile_file(id, content)) {
        return false;
    }
    if (!credentials_file_.reading && !config_file_.reading) {
        follow_plan(now);
    }
    return true;
}

void session_setup::take_cached_identity(const result<std::string>& content)
{
    if (probe_.identity()) {
        return;
    }
    identity_cache_.take(content);
    if (identity_cache_.stand_in()) {
        announce_identity();
        outputs_.put_event(identity_changed{});
    }
}

void session_setup::handle_written(instant now, file_write_id id, const result<void>& outcome)
{
    if (id == identity_write_) {
        identity_write_.reset();
        identity_cache_.written(now.steady, outcome);
    }
}

void session_setup::handle_timeout(instant now)
{
    if (plan_retry_at_ <= now.steady) {
        read_profile_files(now);
    }
}

void session_setup::refresh_interfaces(instant now)
{
    if (probe_started_) {
        probe_.refresh(now.steady);
    }
}

void session_setup::watch_notices(instant now, const notice_settings& settings)
{
    notices_.start(now.steady, settings);
}

void session_setup::refused(instant now, std::uint64_t keys_generation)
{
    keeper_.refused(now, keys_generation);
}

void session_setup::doubted(instant now, std::uint64_t keys_generation)
{
    keeper_.doubted(now, keys_generation);
}

wakeup session_setup::next_wakeup() const
{
    wakeup next{plan_retry_at_, "AWS settings"};
    if (probe_started_) {
        next = earliest(next, probe_.next_wakeup());
    }
    if (imds_) {
        next = earliest(next, notices_.next_wakeup());
    }
    return earliest(next, keeper_.next_wakeup());
}

std::string session_setup::last_error() const
{
    for (const auto* problem : {&plan_problem_, &endpoint_problem_, &sts_problem_, &keeper_.problem(), &probe_.problem()}) {
        if (!problem->empty()) {
            return *problem;
        }
    }
    return {};
}

}  // namespace vipd::aws
