//! Reads rules and verdicts from the wire.
//!
//! Knows nothing of calls.

use baton_proto::v1::{self, validation_rule::Kind};

use super::{Rule, Verdict, Violation};

pub(crate) fn rule_from_wire(rule: v1::ValidationRule) -> Rule {
    let limit = rule.kind.map(|Kind::BuiltIn(built_in)| built_in.limit).filter(|&limit| limit > 0);
    Rule {
        name: rule.name,
        description: rule.description,
        enabled: rule.enabled,
        switchable: rule.switchable,
        limit,
    }
}

pub(crate) fn verdict_from_wire(verdict: v1::Verdict) -> Verdict {
    Verdict {
        valid: verdict.valid,
        errors: verdict.errors.into_iter().map(violation_from_wire).collect(),
        warnings: verdict.warnings.into_iter().map(violation_from_wire).collect(),
    }
}

fn violation_from_wire(violation: v1::Violation) -> Violation {
    Violation { rule: violation.rule, message: violation.message }
}
