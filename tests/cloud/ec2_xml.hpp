#pragma once

// What EC2's answers are written with; for ec2_answer.cpp and its neighbours.

#include "tests/cloud/ec2_model.hpp"

#include <pugixml.hpp>

#include <string>
#include <string_view>

namespace vipd::cloud::xml {

std::string serialised(const pugi::xml_document& document);
void add(pugi::xml_node parent, const char* name, std::string_view text);
void add_unless_empty(pugi::xml_node parent, const char* name, std::string_view text);
std::string yes_or_no(bool value);
void add_tags(pugi::xml_node parent, const tag_map& tags);

// An answer under construction: the root with its namespace and the request's id.
class answer {
public:
    answer(std::string_view action, std::string_view request_id);
    [[nodiscard]] pugi::xml_node root() const { return root_; }
    [[nodiscard]] std::string text() const { return serialised(document_); }

private:
    pugi::xml_document document_;
    pugi::xml_node root_;
};

}  // namespace vipd::cloud::xml
