//! An operation of the API: what it takes, and what it answers.

use maud::{Markup, html};
use serde_json::Value;

use super::schema;

const METHODS: [&str; 6] = ["get", "post", "put", "patch", "delete", "head"];

pub(super) struct Operation<'a> {
    method: &'static str,
    path: &'a str,
    json: &'a Value,
    /// Parameters that all operations of the path share.
    shared: &'a Value,
}

impl<'a> Operation<'a> {
    pub(super) fn of_path(path: &'a str, item: &'a Value) -> impl Iterator<Item = Self> {
        METHODS.into_iter().filter_map(move |method| {
            let json = item.get(method)?;
            Some(Self { method, path, json, shared: &item["parameters"] })
        })
    }

    pub(super) fn tag(&self) -> &'a str {
        self.json["tags"][0].as_str().unwrap_or("other")
    }

    pub(super) fn render(&self, document: &Value) -> Markup {
        let summary = self.text("summary").or_else(|| self.text("description"));
        html! {
            details.operation.card {
                summary {
                    span.method.(self.method) { (self.method) }
                    code.path { (self.path) }
                    @if let Some(summary) = summary { span.muted { (first_line(summary)) } }
                }
                div {
                    @if let Some(description) = self.text("description") { p.prose { (description) } }
                    (self.parameters(document))
                    (self.body(document))
                    (self.responses(document))
                }
            }
        }
    }

    fn text(&self, key: &str) -> Option<&'a str> {
        self.json[key].as_str().filter(|text| !text.is_empty())
    }

    fn parameters(&self, document: &Value) -> Markup {
        let lists = [&self.json["parameters"], self.shared];
        let parameters: Vec<_> = lists
            .into_iter()
            .filter_map(Value::as_array)
            .flatten()
            .map(|parameter| schema::resolved(parameter, document))
            .collect();
        html! {
            @if !parameters.is_empty() {
                h3 { "Parameters" }
                ul.fields {
                    @for parameter in parameters {
                        li {
                            code { (parameter["name"].as_str().unwrap_or("–")) }
                            span.muted {
                                (schema::kind(&parameter["schema"])) ", in the " (parameter["in"].as_str().unwrap_or("–"))
                                @if parameter["required"] == true { ", required" }
                            }
                            @if let Some(text) = parameter["description"].as_str() { p.muted { (text) } }
                        }
                    }
                }
            }
        }
    }

    fn body(&self, document: &Value) -> Markup {
        let body = schema::resolved(&self.json["requestBody"], document);
        html! {
            @if let Some(schema) = content_schema(body) {
                h3 { "Body" }
                (schema::tree(schema, document))
            }
        }
    }

    fn responses(&self, document: &Value) -> Markup {
        let responses = self.json["responses"].as_object();
        html! {
            @if let Some(responses) = responses {
                h3 { "Responses" }
                ul.responses {
                    @for (status, response) in responses {
                        @let response = schema::resolved(response, document);
                        li {
                            strong { (status) } " "
                            span.muted { (response["description"].as_str().unwrap_or_default()) }
                            @if let Some(schema) = content_schema(response) {
                                details.more {
                                    summary { (schema::kind(schema)) }
                                    (schema::tree(schema, document))
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The schema of what a body or a response holds, of the first media type.
fn content_schema(body: &Value) -> Option<&Value> {
    body["content"].as_object()?.values().next()?.get("schema")
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}
