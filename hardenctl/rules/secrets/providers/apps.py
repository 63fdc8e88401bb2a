"""Identity, networks, finance, media and other applications."""

# One credential a row: a table reads better wide than wrapped.
# ruff: noqa: E501

from __future__ import annotations

from hardenctl.model.finding import Severity
from hardenctl.rules.fakes import scramble
from hardenctl.rules.secrets.declare import SecretRule, secret
from hardenctl.rules.secrets.shape import UUID, pattern_of, sample_of

_HIGH = Severity.HIGH
_MEDIUM = Severity.MEDIUM


def _keyed(
    slug: str,
    name: str,
    shape: str,
    key: str,
    *,
    opens: str,
    revoke: str,
    severity: Severity = Severity.HIGH,
    variable: str = "",
) -> SecretRule:
    """A format too plain to stand alone: a value of this shape under a key that names the service."""
    return secret(
        slug, name, pattern=pattern_of(shape), key=key, sample=lambda: sample_of(shape, slug), opens=opens, revoke=revoke,
        severity=severity, variable=variable, floor=2.6,
    )  # fmt: skip


RULES: tuple[SecretRule, ...] = (
    secret("aws-bedrock-session-key", "Amazon Bedrock short-term API key", "bedrock-api-key-YmVkcm9jay5hbWF6b25hd3MuY29t<b60-2000>", opens="runs models on your account for hours", revoke="https://console.aws.amazon.com/bedrock/home#/api-keys", severity=_HIGH),
    secret("clickhouse-cloud-secret", "ClickHouse Cloud API secret", "4b1d<a38>", opens="manages your ClickHouse services", revoke="https://clickhouse.cloud", floor=3.5),
    secret("gitlab-feature-flag-token", "GitLab feature-flag client token", "glffct-<w20>", opens="reads your feature flags", revoke="https://docs.gitlab.com/operations/feature_flags/", severity=_MEDIUM),
    secret("gitlab-session-cookie", "GitLab session cookie", pattern=r"_gitlab_session=(?P<secret>[0-9a-z]{32})", keywords=("_gitlab_session=",), sample=lambda: scramble("glsession", 32, "0123456789abcdef"), opens="is that user in the browser", revoke="https://gitlab.com/-/user_settings/active_sessions", severity=_HIGH,
        example='```python title="client.py"\nCOOKIE = "_gitlab_session={{fake:secret-gitlab-session-cookie}}"\n```'),
    secret("intra42-client-secret", "42 intra client secret", "s-s4t2ud-<h64>", opens="poses as your application", revoke="https://profile.intra.42.fr/oauth/applications", severity=_HIGH),
    secret("maxmind-license-key", "MaxMind licence key", "<a6>_<a29>_mmk", keywords=("_mmk",), opens="downloads databases on your licence", revoke="https://www.maxmind.com/en/accounts/current/license-key", severity=_MEDIUM),
    secret("octopus-deploy-api-key", "Octopus Deploy API key", "API-<u26>", opens="deploys to your environments", revoke="https://octopus.com/docs/octopus-rest-api/how-to-create-an-api-key", floor=3.4),
    secret("openshift-token", "OpenShift user token", "sha256~<w43>", opens="acts as that user in the cluster", revoke="https://docs.redhat.com/en/documentation/openshift_container_platform/"),
    secret("settlemint-token", "SettleMint access token", pattern=r"\bsm_[aps]at_[A-Za-z0-9]{16}\b", keywords=("sm_aat_", "sm_pat_", "sm_sat_"), sample=lambda: "sm_" + "pat_" + scramble("settlemint", 16), opens="manages your blockchain platform", revoke="https://console.settlemint.com", severity=_HIGH),
    secret("slack-configuration-refresh-token", "Slack configuration refresh token", "xoxe-<d1>-<u146>", opens="gets new tokens that change your apps", revoke="https://api.slack.com/apps"),
    secret("slack-legacy-token", "Slack legacy token", pattern=r"\bxox[os]-[0-9]{6,14}-[0-9]{6,14}-[0-9]{6,14}-[0-9a-fA-F]{10,64}\b", keywords=("xoxo-", "xoxs-"), sample=lambda: "xox" + "s-" + "-".join(scramble(f"xoxs{n}", 12, "0123456789") for n in range(3)) + "-" + scramble("xoxs", 32, "0123456789abcdef"), opens="acts as that user in your workspace", revoke="https://api.slack.com/apps"),
    secret("authress-access-key", "Authress service access key", pattern=r"\b(?:sc|ext|scauth|authress)_[a-z0-9]{5,30}\.[a-z0-9]{4,6}\.acc[_-][a-z0-9-]{10,32}\.[A-Za-z0-9+/_=-]{30,120}", keywords=(".acc_", ".acc-"), sample=lambda: "sc_" + scramble("authress", 12, "abcdef0123456789") + ".ab12.ac" + "c_" + scramble("authress2", 14, "abcdef0123456789") + "." + scramble("authress3", 60), opens="manages your users' permissions", revoke="https://authress.io/app/#/manage"),
    secret("defined-networking-key", "Defined Networking API key", "dnkey-<w26>-<w52>", opens="manages your overlay network", revoke="https://admin.defined.net"),
    _keyed("gocardless-token", "GoCardless live token", "live_<w40>", r"gocardless", opens="takes payments from your customers", revoke="https://manage.gocardless.com/developers", severity=Severity.CRITICAL, variable="GOCARDLESS_ACCESS_TOKEN"),
    secret("beamer-api-key", "Beamer API key", pattern=r"b_[A-Za-z0-9=_/-]{44}", key=r"beamer", sample=lambda: "b_" + scramble("beamer", 44), variable="BEAMER_API_KEY", opens="posts to your users", revoke="https://app.getbeamer.com/settings", severity=_MEDIUM),
    secret("freemius-secret-key", "Freemius secret key", pattern=r"sk_[^\s\"']{29}", key=r"freemius", sample=lambda: "sk" + "_" + scramble("freemius", 29), variable="FREEMIUS_SECRET_KEY", opens="manages your plugin's licences", revoke="https://dashboard.freemius.com", severity=_HIGH),
    secret("webflow-token", "Webflow site token", pattern=r"[0-9a-f]{64}", key=r"webflow", sample=lambda: scramble("webflow", 64, "0123456789abcdef"), variable="WEBFLOW_API_TOKEN", opens="changes your site", revoke="https://webflow.com/dashboard", severity=_HIGH, floor=3.0),
    secret("pangea-token", "Pangea service token", "pts_<l32>", opens="uses your security services", revoke="https://console.pangea.cloud", severity=_HIGH),
    secret("trigger-dev-key", "Trigger.dev secret key", pattern=r"\btr_(?:dev|prod|stg)_[A-Za-z0-9]{20,24}\b", keywords=("tr_dev_", "tr_prod_", "tr_stg_"), sample=lambda: "tr" + "_prod_" + scramble("trigger", 20), opens="runs your tasks", revoke="https://cloud.trigger.dev", severity=_HIGH),
    secret("cal-com-api-key", "Cal.com API key", pattern=r"\bcal_live_[0-9a-f]{32}\b", keywords=("cal_live_",), sample=lambda: "cal" + "_live_" + scramble("calcom", 32, "0123456789abcdef"), opens="reads and changes your bookings", revoke="https://app.cal.com/settings/developer/api-keys", severity=_HIGH),
    secret("polar-access-token", "Polar access token", pattern=r"\bpolar_(?:oat|pat|at_[ou])_[A-Za-z0-9]{30,50}\b", keywords=("polar_oat_", "polar_pat_", "polar_at_"), sample=lambda: "polar" + "_oat_" + scramble("polar", 43), opens="reads and changes your shop", revoke="https://polar.sh/settings"),
    secret("zuplo-consumer-key", "Zuplo consumer key", "zpka_<h32>_<h8>", opens="calls your API as that consumer", revoke="https://portal.zuplo.com", severity=_HIGH),
    secret("unkey-root-key", "Unkey root key", "unkey_<a20-40>", opens="makes and reads your API keys", revoke="https://app.unkey.com/settings/root-keys", floor=3.6),
    secret("e2b-api-key", "E2B API key", "e2b_<h40>", opens="runs sandboxes on your bill", revoke="https://e2b.dev/dashboard", severity=_HIGH),
    _keyed("composio-api-key", "Composio API key", "ak_<w20>", r"composio", opens="acts in the accounts your agents are connected to", revoke="https://platform.composio.dev", variable="COMPOSIO_API_KEY"),
    secret("netbird-token", "NetBird access token", "nbp_<a36>", opens="manages your network", revoke="https://app.netbird.io"),
    secret("ubidots-token", "Ubidots token", "BBFF-<a30>", opens="reads and writes your devices", revoke="https://industrial.ubidots.com", severity=_HIGH),
    secret("rootly-api-key", "Rootly API key", "rootly_<h64>", opens="reads and changes your incidents", revoke="https://rootly.com/account", severity=_HIGH),
    secret("checkly-api-key", "Checkly API key", "cu_<h32>", opens="changes your checks and reads their variables", revoke="https://app.checklyhq.com/settings/user/api-keys", severity=_HIGH, floor=3.0),
    _keyed("adafruit-io-key", "Adafruit IO key", "<w32>", r"adafruit|aio_key", opens="reads and writes your feeds", revoke="https://io.adafruit.com", variable="ADAFRUIT_IO_KEY"),
    _keyed("alibaba-secret-key", "Alibaba Cloud secret", "<a30>", r"(?:alibaba|aliyun|oss).*secret", opens="and its key id acts as that Alibaba user", revoke="https://ram.console.aliyun.com/manage/ak", severity=Severity.CRITICAL, variable="ALIBABA_ACCESS_KEY_SECRET"),
    _keyed("tencent-secret-key", "Tencent Cloud secret key", "<a32>", r"(?:tencent|qcloud).*secret_?key", opens="and its id acts as that Tencent user", revoke="https://console.cloud.tencent.com/cam/capi", severity=Severity.CRITICAL, variable="TENCENT_SECRET_KEY"),
    _keyed("bitbucket-client-secret", "Bitbucket client secret", "<w64>", r"bitbucket.*secret", opens="poses as your application", revoke="https://bitbucket.org/account/settings/", variable="BITBUCKET_CLIENT_SECRET"),
    _keyed("cisco-meraki-key", "Cisco Meraki API key", "<h40>", r"meraki", opens="manages your network devices", revoke="https://account.meraki.com", variable="MERAKI_API_KEY"),
    _keyed("discord-client-secret", "Discord client secret", "<w32>", r"discord.*secret", opens="poses as your application", revoke="https://discord.com/developers/applications", variable="DISCORD_CLIENT_SECRET"),
    _keyed("drone-ci-token", "Drone CI token", "<a32>", r"drone.*(?:token|secret)", opens="runs pipelines and reads their secrets", revoke="https://docs.drone.io/cli/configure/", variable="DRONE_TOKEN"),
    _keyed("etsy-api-key", "Etsy API key", "<l24>", r"etsy", opens="uses the API as your application", revoke="https://www.etsy.com/developers/your-apps", variable="ETSY_API_KEY"),
    _keyed("fastly-api-token", "Fastly API token", "<w32>", r"fastly", opens="changes what your CDN serves", revoke="https://manage.fastly.com/account/personal/tokens", severity=Severity.CRITICAL, variable="FASTLY_API_TOKEN"),
    _keyed("finnhub-api-key", "Finnhub API key", "<l20>", r"finnhub", opens="reads market data on your plan", revoke="https://finnhub.io/dashboard", severity=_MEDIUM, variable="FINNHUB_API_KEY"),
    _keyed("alpha-vantage-key", "Alpha Vantage key", "<u16>", r"alpha_?vantage", opens="reads market data on your plan", revoke="https://www.alphavantage.co/support/", severity=_MEDIUM, variable="ALPHAVANTAGE_API_KEY"),
    _keyed("flickr-secret", "Flickr key", "<h32>", r"flickr", opens="uses the API as your application", revoke="https://www.flickr.com/services/apps/", severity=_MEDIUM, variable="FLICKR_API_KEY"),
    _keyed("freshbooks-token", "FreshBooks token", "<h64>", r"freshbooks", opens="reads and changes your invoices", revoke="https://my.freshbooks.com/#/developer", variable="FRESHBOOKS_ACCESS_TOKEN"),
    _keyed("kraken-private-key", "Kraken private key", "<b86>==", r"kraken.*(?:secret|private|key)", opens="trades with your funds", revoke="https://www.kraken.com/u/security/api", severity=Severity.CRITICAL, variable="KRAKEN_PRIVATE_KEY"),
    _keyed("kucoin-secret", "KuCoin secret", UUID, r"kucoin.*secret", opens="trades with your funds", revoke="https://www.kucoin.com/account/api", severity=Severity.CRITICAL, variable="KUCOIN_API_SECRET"),
    _keyed("binance-secret-key", "Binance key", "<a64>", r"binance.*(?:secret|key)", opens="trades with your funds", revoke="https://www.binance.com/en/my/settings/api-management", severity=Severity.CRITICAL, variable="BINANCE_API_SECRET"),
    _keyed("looker-client-secret", "Looker client secret", "<l24>", r"looker.*secret", opens="reads the data behind your dashboards", revoke="https://cloud.google.com/looker/docs/api-auth", variable="LOOKER_CLIENT_SECRET"),
    _keyed("mattermost-token", "Mattermost token", "<l26>", r"mattermost.*(?:token|key|secret)", opens="reads and writes in your workspace", revoke="https://developers.mattermost.com/integrate/reference/personal-access-token/", variable="MATTERMOST_TOKEN"),
    _keyed("messagebird-api-key", "Bird (MessageBird) API key", "<a25>", r"message_?bird", opens="sends messages on your bill", revoke="https://dashboard.messagebird.com/developers/access", variable="MESSAGEBIRD_API_KEY"),
    _keyed("vonage-api-secret", "Vonage API secret", "<a16>", r"(?:vonage|nexmo).*secret", opens="sends messages and calls on your bill", revoke="https://dashboard.nexmo.com/settings", variable="VONAGE_API_SECRET"),
    _keyed("nytimes-api-key", "New York Times API key", "<a32>", r"nytimes|new_?york_?times", opens="uses the API as your application", revoke="https://developer.nytimes.com/my-apps", severity=_MEDIUM, variable="NYTIMES_API_KEY"),
    _keyed("openweather-api-key", "OpenWeather API key", "<h32>", r"open_?weather|\bowm", opens="reads forecasts on your plan", revoke="https://home.openweathermap.org/api_keys", severity=_MEDIUM, variable="OPENWEATHER_API_KEY"),
    _keyed("sendbird-token", "Sendbird API token", "<h40>", r"sendbird.*(?:token|key)", opens="reads and writes your users' chats", revoke="https://dashboard.sendbird.com", variable="SENDBIRD_API_TOKEN"),
    _keyed("squarespace-token", "Squarespace API key", UUID, r"squarespace", opens="reads and changes your shop", revoke="https://developers.squarespace.com/commerce-apis/authentication-and-permissions", variable="SQUARESPACE_API_KEY"),
    _keyed("sumologic-access-key", "Sumo Logic access key", "<a64>", r"sumo.*(?:key|token|secret)", opens="reads your logs", revoke="https://service.sumologic.com/ui/#/preferences", variable="SUMOLOGIC_ACCESS_KEY"),
    _keyed("yandex-static-secret", "Yandex Cloud static key", "YC<w38>", r"yandex.*(?:secret|key)", opens="reads and writes your buckets", revoke="https://console.yandex.cloud", variable="YANDEX_STATIC_SECRET"),
    _keyed("ovh-application-secret", "OVHcloud application secret", "<a32>", r"ovh.*(?:secret|consumer_?key)", opens="acts on your OVHcloud account with its key", revoke="https://www.ovh.com/manager/#/iam/api-keys", variable="OVH_APPLICATION_SECRET"),
    _keyed("scaleway-secret-key", "Scaleway secret key", UUID, r"(?:scaleway|scw).*secret", opens="controls the Scaleway project", revoke="https://console.scaleway.com/iam/api-keys", severity=Severity.CRITICAL, variable="SCW_SECRET_KEY"),
    _keyed("bunny-api-key", "bunny.net key", UUID, r"bunny", opens="changes what your CDN serves", revoke="https://dash.bunny.net/account/api-key", variable="BUNNY_API_KEY"),
)  # fmt: skip
