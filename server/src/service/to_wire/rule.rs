//! Rules.

use baton_core::BuiltInRule;
use baton_proto::v1;

pub(in crate::service) fn rule(rule: BuiltInRule, enabled: bool) -> v1::ValidationRule {
    v1::ValidationRule {
        name: rule.name().to_owned(),
        description: rule.description().to_owned(),
        enabled,
        switchable: rule.is_switchable(),
        kind: Some(v1::validation_rule::Kind::BuiltIn(v1::BuiltInRule { limit: rule.limit() })),
    }
}
