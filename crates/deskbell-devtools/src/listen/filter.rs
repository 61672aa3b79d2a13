//! Which events go to the handlers.

use deskbell_config::{ONE_TIME_CODES, takes_type};
use deskbell_expr::{Condition, EventParts, EventView, Expression, ExpressionError, event_types};
use miette::Diagnostic;

use super::message::Message;

/// Which events go to the handlers.
#[derive(Debug, Default)]
pub struct Filter {
    types: Vec<String>,
    when: Option<Expression>,
}

#[derive(Debug, thiserror::Error, Diagnostic)]
pub enum FilterError {
    #[error("--events: expected a type or a pattern such as user.*, found `{text}`")]
    #[diagnostic(help("run `deskbell types` to list the types"))]
    Type { text: String },
    #[error("--events: there is no event type `{text}`")]
    #[diagnostic(help("did you mean {near}? Run `deskbell types` to list the types"))]
    Misspelt { text: String, near: String },
    #[error("--when: invalid expression")]
    #[diagnostic(help("an example: --when 'data.public_metadata.plan == \"pro\"'"))]
    When(#[from] ExpressionError),
}

impl Filter {
    /// # Errors
    /// A type is no pattern, or the expression cannot be compiled.
    pub fn new(types: Vec<String>, when: Option<&str>) -> Result<Self, FilterError> {
        let is_pattern = |text: &String| {
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_.*-".contains(&byte);
            !text.is_empty() && text.bytes().all(plain)
        };
        if let Some(text) = types.iter().find(|text| !is_pattern(text)) {
            return Err(FilterError::Type { text: text.clone() });
        }
        let misspelt = |text: &String| Some((text.clone(), event_types::misspelt(text)?));
        if let Some((text, near)) = types.iter().find_map(misspelt) {
            return Err(FilterError::Misspelt { text, near });
        }
        Ok(Self { types, when: when.map(Expression::compile).transpose()? })
    }

    /// Empty for all.
    #[must_use]
    pub fn types(&self) -> &[String] {
        &self.types
    }

    pub(crate) fn takes_type(&self, event_type: &str) -> bool {
        self.types.is_empty() || takes_type(&self.types, event_type)
    }

    /// Whether a one-time code of this type may be shown.
    pub(crate) fn shows(&self, event_type: &str) -> bool {
        !ONE_TIME_CODES.contains(&event_type) || self.types.iter().any(|known| known == event_type)
    }

    /// Whether `when` holds; where it cannot be evaluated it does not.
    pub(crate) fn holds(&self, message: &Message) -> bool {
        let Some(when) = &self.when else { return true };
        let parts = EventParts {
            id: &message.id,
            event_type: &message.event_type,
            source: &message.source,
            subject: message.subject.as_deref(),
            occurred_at_ms: message.occurred_at_ms,
            instance_id: message.instance_id.as_deref(),
        };
        let body = message.bytes().map_or(&[][..], |bytes| bytes);
        let view = EventView::of_body(parts, body);
        matches!(when.holds(&view), Ok(Condition::True))
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn user(plan: &str) -> Message {
        let body = format!(
            r#"{{"type":"user.created","data":{{"id":"user_1","public_metadata":{{"plan":"{plan}"}}}}}}"#
        );
        let (id, event_type) = ("msg_1".to_owned(), "user.created".to_owned());
        Message::of_body(id, event_type, 1_700_000_000_000, Bytes::from(body))
    }

    #[test]
    fn types_and_an_expression_select() {
        let when = Some("data.public_metadata.plan == 'pro' && subject == 'user_1'");
        let filter = Filter::new(vec!["user.*".to_owned()], when).unwrap();
        assert!(filter.takes_type("user.created") && !filter.takes_type("role.created"));
        assert!(filter.holds(&user("pro")) && !filter.holds(&user("free")));
        let all = Filter::default();
        assert!(all.takes_type("role.created") && all.holds(&user("free")));
    }

    #[test]
    fn a_one_time_code_is_shown_only_to_who_names_it() {
        let named = Filter::new(vec!["email.created".to_owned()], None).unwrap();
        assert!(named.shows("email.created") && !Filter::default().shows("email.created"));
    }

    #[test]
    fn a_misspelt_type_names_the_nearest() {
        let error = Filter::new(vec!["usr.*".to_owned()], None).unwrap_err();
        assert!(matches!(error, FilterError::Misspelt { near, .. } if near == "user.*"));
        // Clerk adds types.
        Filter::new(vec!["passkey.registered".to_owned()], None).unwrap();
    }

    #[test]
    fn what_cannot_be_a_type_or_an_expression_is_an_error() {
        assert!(matches!(
            Filter::new(vec!["user created".to_owned()], None),
            Err(FilterError::Type { .. })
        ));
        assert!(matches!(Filter::new(Vec::new(), Some("data.(")), Err(FilterError::When(_))));
    }
}
