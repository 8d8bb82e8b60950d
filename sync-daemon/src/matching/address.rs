//! Addresses made comparable: case, Unicode domains, Gmail's dots, and `+tag`.

/// An address in the two forms that are compared.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Address {
    exact: String,
    base: String,
}

impl Address {
    /// Reads one bare address; `None` if it is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text
            .trim()
            .trim_start_matches('<')
            .trim_end_matches('>')
            .trim();
        let (local, domain) = text.rsplit_once('@')?;
        let local = local.trim().trim_matches('"').to_lowercase();
        let domain = ascii_domain(domain)?;
        let unusable = |c: char| c.is_control() || c.is_whitespace() || "<>".contains(c);
        if local.is_empty() || local.contains(unusable) {
            return None;
        }
        let untagged = without_tag(&local);
        let (exact, base) = if domain == "gmail.com" || domain == "googlemail.com" {
            let plain = untagged.replace('.', "");
            if plain.is_empty() {
                return None;
            }
            let folded = format!("{plain}@gmail.com");
            (folded.clone(), folded)
        } else {
            (format!("{local}@{domain}"), format!("{untagged}@{domain}"))
        };
        Some(Self { exact, base })
    }

    /// The form in which two spellings of one mailbox are equal.
    #[must_use]
    pub fn exact(&self) -> &str {
        &self.exact
    }

    /// The same without `+tag`: only compared when the exact form matches nobody.
    #[must_use]
    pub fn base(&self) -> &str {
        &self.base
    }
}

/// `bob+crm` → `bob`; a leading plus is part of the name.
fn without_tag(local: &str) -> &str {
    match local.split_once('+') {
        Some((name, _)) if !name.is_empty() => name,
        _ => local,
    }
}

/// Lower case, Unicode domains in their ASCII form, no final dot.
fn ascii_domain(domain: &str) -> Option<String> {
    let domain = domain.trim().trim_end_matches('.');
    let ascii = idna::domain_to_ascii(domain).unwrap_or_else(|_| domain.to_lowercase());
    // What is no Unicode domain is taken as it stands; these signs end an address and are in none.
    let unusable = |c: char| c.is_control() || c.is_whitespace() || "<>@()\",;\\".contains(c);
    (!ascii.is_empty() && !ascii.contains(unusable)).then_some(ascii)
}
