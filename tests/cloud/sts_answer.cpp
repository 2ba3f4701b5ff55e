#include "tests/cloud/sts_answer.hpp"

#include "tests/cloud/wire_time.hpp"

#include <pugixml.hpp>

#include <utility>

namespace vipd::cloud {

namespace {

constexpr const char* name_space = "https://sts.amazonaws.com/doc/2011-06-15/";

struct string_writer : pugi::xml_writer {
    std::string text;
    void write(const void* data, std::size_t size) override { text.append(static_cast<const char*>(data), size); }
};

std::string serialised(const pugi::xml_document& document)
{
    string_writer writer;
    document.save(writer, "  ", pugi::format_indent | pugi::format_no_declaration, pugi::encoding_utf8);
    return std::move(writer.text);
}

void add(pugi::xml_node parent, const char* name, std::string_view text)
{
    parent.append_child(name).append_child(pugi::node_pcdata).set_value(std::string(text).c_str());
}

pugi::xml_node begin(pugi::xml_document& document, const std::string& root_name)
{
    auto root = document.append_child(root_name.c_str());
    root.append_attribute("xmlns").set_value(name_space);
    return root;
}

}  // namespace

std::string assumed_role_xml(std::string_view request_id, const std::string& action, const assumed_role_user& user,
                             const access_key& key, std::string_view subject)
{
    pugi::xml_document document;
    auto root = begin(document, action + "Response");
    auto node = root.append_child((action + "Result").c_str());
    if (!subject.empty()) {
        add(node, "SubjectFromWebIdentityToken", subject);
    }
    auto role = node.append_child("AssumedRoleUser");
    add(role, "AssumedRoleId", user.id);
    add(role, "Arn", user.arn);
    auto credentials = node.append_child("Credentials");
    add(credentials, "AccessKeyId", key.id);
    add(credentials, "SecretAccessKey", key.secret);
    add(credentials, "SessionToken", key.token);
    add(credentials, "Expiration", iso_time(*key.expires));
    add(root.append_child("ResponseMetadata"), "RequestId", request_id);
    return serialised(document);
}

std::string caller_xml(std::string_view request_id, std::string_view account, const assumed_role_user& user)
{
    pugi::xml_document document;
    auto root = begin(document, "GetCallerIdentityResponse");
    auto node = root.append_child("GetCallerIdentityResult");
    add(node, "Arn", user.arn);
    add(node, "UserId", user.id);
    add(node, "Account", account);
    add(root.append_child("ResponseMetadata"), "RequestId", request_id);
    return serialised(document);
}

std::string sts_error_xml(std::string_view request_id, const api_error& error)
{
    pugi::xml_document document;
    auto root = begin(document, "ErrorResponse");
    auto node = root.append_child("Error");
    add(node, "Type", http_status(error.code) >= 500 ? "Receiver" : "Sender");
    add(node, "Code", error.code);
    add(node, "Message", error.message);
    add(root, "RequestId", request_id);
    return serialised(document);
}

}  // namespace vipd::cloud
