//! Who is calling, and for whom they may call.
//!
//! Our functions are SECURITY DEFINER: inside them `current_user` is the extension's owner, and
//! `session_user` ignores SET ROLE. The caller is the *outer* user: the session's role after
//! SET ROLE. A person behind it is named by the JWT subject that PostgREST leaves in a setting.

use std::ffi::CString;

use pgrx::pg_sys;

use crate::error::{Error, Result};

/// The person that the session's JWT names, if it names one.
pub(crate) fn jwt_subject() -> Option<String> {
    if let Some(subject) = crate::citus::subject() {
        return subject;
    }
    let claims = setting(c"request.jwt.claims")
        .and_then(|text| serde_json::from_str::<serde_json::Value>(&text).ok())
        .and_then(|claims| {
            claims
                .get("sub")
                .and_then(|sub| sub.as_str())
                .map(str::to_owned)
        });
    claims
        .or_else(|| setting(c"request.jwt.claim.sub"))
        .filter(|subject| !subject.is_empty())
}

fn setting(name: &std::ffi::CStr) -> Option<String> {
    // SAFETY: the option may be missing (missing_ok); a value found lives until it is changed.
    let value = unsafe { pg_sys::GetConfigOption(name.as_ptr(), true, false) };
    if value.is_null() {
        return None;
    }
    // SAFETY: not null, and PostgreSQL's settings end with a zero byte.
    let text = unsafe { std::ffi::CStr::from_ptr(value) }
        .to_string_lossy()
        .into_owned();
    (!text.is_empty()).then_some(text)
}

/// Whether the caller may act for everyone: a superuser, the owner of the score tables, or a
/// member of a role listed in the setting `trusted_roles`.
pub(crate) fn is_trusted(score_owner: Option<pg_sys::Oid>, trusted_roles: &str) -> bool {
    // The work of a call from a coordinator, which has asked; where that is this session, the caller is still a user's.
    if crate::citus::subject().is_some() {
        return true;
    }
    // SAFETY: plain look-ups by role id.
    let caller = unsafe { pg_sys::GetOuterUserId() };
    if unsafe { pg_sys::superuser_arg(caller) } || score_owner == Some(caller) {
        return true;
    }
    trusted_roles
        .split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .filter_map(role_id)
        .any(|role| unsafe { pg_sys::is_member_of_role(caller, role) })
}

fn role_id(name: &str) -> Option<pg_sys::Oid> {
    let name = CString::new(name).ok()?;
    // SAFETY: missing_ok; an unknown role gives the invalid id.
    let role = unsafe { pg_sys::get_role_oid(name.as_ptr(), true) };
    (role != pg_sys::InvalidOid).then_some(role)
}

/// Fails with 42501 unless the caller may refresh and read the scores of all of `users`.
pub(crate) fn authorize(
    users: &[pgrx::Uuid],
    score_owner: Option<pg_sys::Oid>,
    trusted_roles: &str,
) -> Result<()> {
    if is_trusted(score_owner, trusted_roles) {
        return Ok(());
    }
    let subject = jwt_subject().ok_or(Error::NotYours)?;
    let same = |user: &pgrx::Uuid| user.to_string().eq_ignore_ascii_case(subject.trim());
    if users.iter().all(same) {
        Ok(())
    } else {
        Err(Error::NotYours)
    }
}

/// The JWT subject as a user id, if it is one.
pub(crate) fn jwt_subject_id() -> Option<pgrx::Uuid> {
    let hex: String = jwt_subject()?
        .chars()
        .filter(|letter| *letter != '-')
        .collect();
    let id = u128::from_str_radix(&hex, 16).ok()?;
    (hex.len() == 32).then(|| pgrx::Uuid::from_bytes(id.to_be_bytes()))
}
