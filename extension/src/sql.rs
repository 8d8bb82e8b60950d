//! The SQL objects of the extension, in the order in which they are made.

use pgrx::extension_sql_file;

extension_sql_file!("../../sql/extension/schema.sql", name = "schema");
extension_sql_file!(
    "../../sql/extension/config_tables.sql",
    name = "config_tables",
    requires = ["schema"]
);
extension_sql_file!(
    "../../sql/extension/config_rows.sql",
    name = "config_rows",
    requires = ["config_tables"]
);
extension_sql_file!(
    "../../sql/extension/config_kept.sql",
    name = "config_kept",
    requires = ["config_rows"]
);
extension_sql_file!(
    "../../sql/extension/ghost_models.sql",
    name = "ghost_models",
    requires = ["config_kept"]
);
extension_sql_file!(
    "../../sql/extension/deal_models.sql",
    name = "deal_models",
    requires = ["ghost_models"]
);
extension_sql_file!(
    "../../sql/extension/scoring_config.sql",
    name = "scoring_config",
    requires = ["deal_models"]
);
extension_sql_file!(
    "../../sql/extension/collect.sql",
    name = "collect",
    requires = ["scoring_config"]
);
extension_sql_file!(
    "../../sql/extension/ghost_streams.sql",
    name = "ghost_streams",
    requires = ["collect"]
);
extension_sql_file!(
    "../../sql/extension/score.sql",
    name = "score",
    requires = ["ghost_streams"]
);
extension_sql_file!(
    "../../sql/extension/gather.sql",
    name = "gather",
    requires = ["score"]
);
extension_sql_file!(
    "../../sql/extension/refresh.sql",
    name = "refresh",
    requires = ["gather"]
);
extension_sql_file!(
    "../../sql/extension/what_if.sql",
    name = "what_if",
    requires = ["refresh"]
);
extension_sql_file!(
    "../../sql/extension/explain.sql",
    name = "explain",
    requires = ["what_if"]
);
extension_sql_file!(
    "../../sql/extension/deal_owners.sql",
    name = "deal_owners",
    requires = ["explain"]
);
extension_sql_file!(
    "../../sql/extension/link_replies.sql",
    name = "link_replies",
    requires = ["deal_owners"]
);
extension_sql_file!(
    "../../sql/extension/citus.sql",
    name = "citus",
    requires = ["link_replies"]
);
extension_sql_file!(
    "../../sql/extension/runs.sql",
    name = "runs",
    requires = ["citus"]
);
extension_sql_file!(
    "../../sql/extension/notifications.sql",
    name = "notifications",
    requires = ["runs"]
);
extension_sql_file!(
    "../../sql/extension/alerts.sql",
    name = "alerts",
    requires = ["notifications"]
);
extension_sql_file!(
    "../../sql/extension/contact_data.sql",
    name = "contact_data",
    requires = ["alerts"]
);
extension_sql_file!(
    "../../sql/extension/ghost_functions.sql",
    name = "ghost_functions",
    requires = ["contact_data"]
);
extension_sql_file!(
    "../../sql/extension/deal_functions.sql",
    name = "deal_functions",
    requires = ["ghost_functions"]
);
extension_sql_file!(
    "../../sql/extension/replay.sql",
    name = "replay",
    requires = ["deal_functions"]
);
extension_sql_file!(
    "../../sql/extension/refresh_active_users.sql",
    name = "refresh_active_users",
    requires = ["replay"]
);
extension_sql_file!(
    "../../sql/extension/schedule.sql",
    name = "schedule",
    requires = ["refresh_active_users"]
);
extension_sql_file!(
    "../../sql/extension/check_install.sql",
    name = "check_install",
    requires = ["schedule"]
);
extension_sql_file!(
    "../../sql/extension/check_tables.sql",
    name = "check_tables",
    requires = ["check_install"]
);
extension_sql_file!(
    "../../sql/extension/check_indexes.sql",
    name = "check_indexes",
    requires = ["check_tables"]
);
extension_sql_file!(
    "../../sql/extension/metrics.sql",
    name = "metrics",
    requires = ["check_indexes"]
);
extension_sql_file!(
    "../../sql/extension/default_privileges.sql",
    name = "default_privileges",
    requires = ["metrics"]
);
extension_sql_file!(
    "../../sql/extension/grants.sql",
    name = "grants",
    requires = ["default_privileges"]
);
extension_sql_file!(
    "../../sql/extension/ghost_grants.sql",
    name = "ghost_grants",
    requires = ["grants"]
);
