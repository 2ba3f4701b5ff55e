#include "tests/cloud/ec2_xml.hpp"

namespace vipd::cloud::xml {

namespace {

struct string_writer : pugi::xml_writer {
    std::string text;
    void write(const void* data, std::size_t size) override { text.append(static_cast<const char*>(data), size); }
};

}  // namespace

std::string serialised(const pugi::xml_document& document)
{
    string_writer writer;
    document.save(writer, "    ", pugi::format_indent, pugi::encoding_utf8);
    return std::move(writer.text);
}

void add(pugi::xml_node parent, const char* name, std::string_view text)
{
    parent.append_child(name).append_child(pugi::node_pcdata).set_value(std::string(text).c_str());
}

void add_unless_empty(pugi::xml_node parent, const char* name, std::string_view text)
{
    if (!text.empty()) {
        add(parent, name, text);
    }
}

std::string yes_or_no(bool value)
{
    return value ? "true" : "false";
}

void add_tags(pugi::xml_node parent, const tag_map& tags)
{
    auto set = parent.append_child("tagSet");
    for (const auto& [key, value] : tags) {
        auto item = set.append_child("item");
        add(item, "key", key);
        add(item, "value", value);
    }
}

answer::answer(std::string_view action, std::string_view request_id)
{
    document_.append_child(pugi::node_declaration).append_attribute("version").set_value("1.0");
    document_.first_child().append_attribute("encoding").set_value("UTF-8");
    root_ = document_.append_child((std::string(action) + "Response").c_str());
    root_.append_attribute("xmlns").set_value("http://ec2.amazonaws.com/doc/2016-11-15/");
    add(root_, "requestId", request_id);
}

}  // namespace vipd::cloud::xml
