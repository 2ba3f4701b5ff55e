#include "agent/takeover/cloud_query.hpp"

#include "common/overloaded.hpp"

namespace vipd::takeover {

namespace {

// Texts one behind the other, with a word in between.
class enumeration {
public:
    void add(const char* between, const std::string& more) { text_ += (text_.empty() ? "" : between) + more; }
    void add_vpc_and_tags(const std::optional<aws::vpc_id>& vpc, const std::vector<aws::tag_filter>& tags)
    {
        if (vpc) {
            add(" in ", vpc->str());
        }
        for (const auto& tag : tags) {
            add(" with ", "tag " + tag.key + "=" + tag.value);
        }
    }
    std::string take() { return std::move(text_); }

private:
    std::string text_;
};

}  // namespace

aws::ec2_call describe_call(const cloud_query& query, const std::string& next_token, unsigned results_max)
{
    return std::visit(overloaded{
                          [&](const table_query& q) -> aws::ec2_call {
                              return aws::describe_route_tables{q.ids, q.vpc, q.tags, next_token, results_max};
                          },
                          [&](const interface_query& q) -> aws::ec2_call {
                              aws::describe_network_interfaces call;
                              if (q.id) {
                                  call.ids = {*q.id};
                              }
                              call.address = q.address;
                              call.vpc = q.vpc;
                              call.tags = q.tags;
                              call.next_token = next_token;
                              call.results_max = results_max;
                              return call;
                          },
                          [&](const elastic_ip_query& q) -> aws::ec2_call { return aws::describe_addresses{{q.allocation}}; },
                      },
                      query);
}

std::string describe_query(const cloud_query& query)
{
    enumeration all;
    std::visit(overloaded{
                   [&](const table_query& q) {
                       for (const auto& id : q.ids) {
                           all.add(", ", id.str());
                       }
                       all.add_vpc_and_tags(q.vpc, q.tags);
                   },
                   [&](const interface_query& q) {
                       if (q.id) {
                           all.add(", ", q.id->str());
                       }
                       if (q.address) {
                           all.add(", ", q.address->to_string());
                       }
                       all.add_vpc_and_tags(q.vpc, q.tags);
                   },
                   [&](const elastic_ip_query& q) { all.add(", ", q.allocation.str()); },
               },
               query);
    return all.take();
}

}  // namespace vipd::takeover
