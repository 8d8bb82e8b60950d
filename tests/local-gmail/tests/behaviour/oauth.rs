//! Tokens: refresh, expiry, revocation, consent with PKCE, and the endpoint's faults.

use local_gmail::{Config, Endpoint, Fault, FaultRule, SCOPE_READONLY};
use reqwest::Url;

use crate::world::{REP, World, checked};

/// RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const BACK: &str = "http://127.0.0.1:9/callback";

fn refresh_form(token: &str) -> [(&str, &str); 2] {
    [("grant_type", "refresh_token"), ("refresh_token", token)]
}

async fn profile_status(world: &World, token: &str) -> u16 {
    let url = format!("{}/gmail/v1/users/me/profile", world.gmail.base_url());
    let response = world.http.get(url).bearer_auth(token).send().await;
    response.expect("answers").status().as_u16()
}

#[tokio::test]
async fn an_access_token_expires_and_is_refreshed() {
    let world = World::with(Config {
        access_token_seconds: 60,
        ..checked()
    })
    .await;
    assert_eq!(profile_status(&world, &world.token).await, 200);
    world.gmail.advance_clock_ms(61_000);
    assert_eq!(profile_status(&world, &world.token).await, 401);
    let fresh = world.refresh(REP).await;
    assert_eq!(profile_status(&world, &fresh).await, 200);
    world.gmail.expire_tokens(REP).expect("exists");
    assert_eq!(profile_status(&world, &fresh).await, 401);
    assert_eq!(profile_status(&world, "ya29.made-up").await, 401);
    world.conforms();
}

#[tokio::test]
async fn a_revoked_mailbox_gets_invalid_grant() {
    let world = World::new().await;
    let refresh_token = world.gmail.refresh_token(REP);
    world.gmail.revoke(REP).expect("exists");
    assert_eq!(profile_status(&world, &world.token).await, 401);
    let (status, body) = world.token(&refresh_form(&refresh_token)).await;
    assert_eq!((status, &body["error"]), (400, &"invalid_grant".into()));
    world.conforms();
}

#[tokio::test]
async fn an_unknown_client_or_secret_is_an_invalid_client() {
    let world = World::new().await;
    for client in [["nobody", "local-secret"], ["local-client", "wrong"]] {
        let token = world.gmail.refresh_token(REP);
        let mut form = refresh_form(&token).to_vec();
        form.extend([("client_id", client[0]), ("client_secret", client[1])]);
        let response = world
            .http
            .post(world.gmail.token_url())
            .form(&form)
            .send()
            .await;
        let response = response.expect("answers");
        assert_eq!(response.status(), 401);
        assert!(
            response
                .text()
                .await
                .expect("text")
                .contains("invalid_client")
        );
    }
    world.conforms();
}

#[tokio::test]
async fn the_token_endpoint_fails_on_demand() {
    let world = World::new().await;
    let token = world.gmail.refresh_token(REP);
    for (error, expected) in [
        ("invalid_grant", 400),
        ("invalid_client", 401),
        ("unauthorized_client", 401),
        ("invalid_request", 400),
    ] {
        let fault = Fault::Oauth {
            error: error.to_owned(),
        };
        world
            .gmail
            .inject(FaultRule::once(Endpoint::Token, fault).mailbox(REP));
        let (status, body) = world.token(&refresh_form(&token)).await;
        assert_eq!((status, &body["error"]), (expected, &error.into()));
    }
    let down = Fault::ServerError {
        status: 503,
        html: false,
    };
    world.gmail.inject(FaultRule::once(Endpoint::Token, down));
    assert_eq!(world.token(&refresh_form(&token)).await.0, 503);
    world
        .gmail
        .inject(FaultRule::once(Endpoint::Token, Fault::WrongTypes));
    let (_, body) = world.token(&refresh_form(&token)).await;
    assert!(
        body["access_token"].is_number() && body["expires_in"].is_string(),
        "{body}"
    );
    world
        .gmail
        .inject(FaultRule::once(Endpoint::Token, Fault::Reset));
    let form = refresh_form(&token);
    assert!(
        world
            .http
            .post(world.gmail.token_url())
            .form(&form)
            .send()
            .await
            .is_err()
    );
    assert_eq!(world.token(&refresh_form(&token)).await.0, 200);
    assert_eq!(world.stats().of(Endpoint::Token).total(), 8);
    world.conforms();
}

fn consent_url(world: &World, change: (&str, &str)) -> Url {
    let mut parameters = vec![
        ("client_id", "local-client"),
        ("response_type", "code"),
        ("redirect_uri", BACK),
        ("scope", SCOPE_READONLY),
        ("state", "s t"),
        ("access_type", "offline"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
        ("login_hint", REP),
    ];
    parameters.retain(|(name, _)| *name != change.0);
    parameters.push(change);
    Url::parse_with_params(&world.gmail.auth_url(), parameters).expect("a URL")
}

/// Where the consent page leads: a parameter of the loopback URL.
async fn consent(world: &World, change: (&str, &str), wanted: &str) -> Option<String> {
    let response = world
        .http
        .get(consent_url(world, change))
        .send()
        .await
        .expect("answers");
    let location = response.headers().get("location")?.to_str().expect("text");
    assert!(location.starts_with(BACK), "{location}");
    let back = Url::parse(location).expect("a URL");
    assert!(
        back.query_pairs()
            .any(|pair| pair == ("state".into(), "s t".into())),
        "{back}"
    );
    back.query_pairs()
        .find(|(name, _)| name == wanted)
        .map(|(_, value)| value.into_owned())
}

async fn redeem(world: &World, code: &str, verifier: &str, back: &str) -> (u16, serde_json::Value) {
    let form = [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("code_verifier", verifier),
        ("redirect_uri", back),
    ];
    world.token(&form).await
}

#[tokio::test]
async fn consent_leads_to_tokens_for_the_mailbox_once() {
    let world = World::new().await;
    let code = consent(&world, ("prompt", "consent"), "code")
        .await
        .expect("a code");
    let (status, body) = redeem(&world, &code, VERIFIER, BACK).await;
    assert_eq!(status, 200, "{body}");
    assert_eq!(body["scope"], SCOPE_READONLY);
    assert_eq!(
        profile_status(&world, body["access_token"].as_str().expect("a token")).await,
        200
    );
    let again = refresh_form(body["refresh_token"].as_str().expect("a token"));
    assert_eq!(world.token(&again).await.0, 200);
    assert_eq!(
        redeem(&world, &code, VERIFIER, BACK).await.0,
        400,
        "a code is good once"
    );
    world.conforms();
}

#[tokio::test]
async fn a_code_needs_its_verifier_and_its_redirect() {
    let world = World::new().await;
    for (verifier, back) in [("wrong", BACK), (VERIFIER, "http://127.0.0.1:10/callback")] {
        let code = consent(&world, ("prompt", "consent"), "code")
            .await
            .expect("a code");
        assert_eq!(redeem(&world, &code, verifier, back).await.0, 400);
    }
    world.conforms();
}

#[tokio::test]
async fn the_consent_page_refuses_what_google_refuses() {
    let world = World::new().await;
    for change in [
        ("client_id", "nobody"),
        ("redirect_uri", "http://elsewhere.example/callback"),
        ("response_type", "token"),
        ("code_challenge_method", "plain"),
        ("scope", "email"),
        ("login_hint", "nobody@example.com"),
    ] {
        assert_eq!(consent(&world, change, "code").await, None, "{change:?}");
    }
    let denied = Fault::Oauth {
        error: "access_denied".to_owned(),
    };
    world
        .gmail
        .inject(FaultRule::once(Endpoint::Consent, denied));
    let error = consent(&world, ("prompt", "consent"), "error").await;
    assert_eq!(error.as_deref(), Some("access_denied"));
    world.conforms();
}
