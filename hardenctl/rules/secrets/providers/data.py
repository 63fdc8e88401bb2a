"""Artificial intelligence, data stores, monitoring."""

# One credential a row: a table reads better wide than wrapped.
# ruff: noqa: E501

from __future__ import annotations

import zlib

from hardenctl.model.finding import Severity
from hardenctl.rules.fakes import ALPHANUMERIC, scramble
from hardenctl.rules.secrets.declare import SecretRule, secret
from hardenctl.rules.secrets.shape import UUID, sample_of
from hardenctl.rules.secrets.structure import base64_json, crc32_hex_suffix, openai

_HEX = "0123456789abcdef"
_OPENAI = "https://platform.openai.com/api-keys"


def _grafana() -> str:
    body = "gl" + "sa_" + scramble("grafana", 32)
    return f"{body}_{zlib.crc32(body.encode()):08x}"


RULES: tuple[SecretRule, ...] = (
    secret("openai-api-key", "OpenAI API key", pattern=r"\bsk-(?:proj-|svcacct-|admin-|None-)?[A-Za-z0-9_-]{20,120}T3BlbkFJ[A-Za-z0-9_-]{20,120}", keywords=("T3BlbkFJ",),
        sample=lambda: "sk" + "-proj-" + scramble("openai", 74) + "T3Bl" + "bkFJ" + scramble("openai2", 74), check=openai, opens="runs models on your bill and reads your files", revoke=_OPENAI),
    secret("openai-legacy-api-key", "OpenAI-style API key", pattern=r"\bsk-[A-Za-z0-9]{40,64}\b", keywords=("sk-",), sample=lambda: "sk" + "-" + scramble("openai3", 48), variable="OPENAI_API_KEY",
        opens="runs models on your bill", revoke=_OPENAI, floor=3.5, severity=Severity.HIGH),
    secret("anthropic-api-key", "Anthropic API key", pattern=r"\bsk-ant-(?:api|sid|oat)[0-9]{2}-[A-Za-z0-9_-]{80,110}", keywords=("sk-ant-",), sample=lambda: "sk" + "-ant-api03-" + scramble("anthropic", 93) + "AA", opens="runs models on your bill", revoke="https://console.anthropic.com/settings/keys"),
    secret("anthropic-admin-key", "Anthropic admin key", "sk-ant-admin01-<w93-100>", opens="manages your organisation", revoke="https://console.anthropic.com/settings/admin-keys"),
    secret("huggingface-token", "Hugging Face token", "hf_<c34>", opens="reads and writes your models", revoke="https://huggingface.co/settings/tokens"),
    secret("huggingface-org-token", "Hugging Face organisation token", "api_org_<c34>", opens="reads and writes your organisation's models", revoke="https://huggingface.co/settings/tokens"),
    secret("groq-api-key", "Groq API key", "gsk_<a52>", opens="runs models on your bill", revoke="https://console.groq.com/keys"),
    secret("replicate-token", "Replicate token", "r8_<a37>", opens="runs models on your bill", revoke="https://replicate.com/account/api-tokens"),
    secret("perplexity-api-key", "Perplexity API key", "pplx-<a48-56>", opens="runs models on your bill", revoke="https://www.perplexity.ai/settings/api"),
    secret("xai-api-key", "xAI API key", "xai-<a80>", opens="runs models on your bill", revoke="https://console.x.ai"),
    secret("openrouter-api-key", "OpenRouter API key", "sk-or-v1-<h64>", opens="runs models on your bill", revoke="https://openrouter.ai/settings/keys"),
    secret("deepseek-api-key", "DeepSeek API key", pattern=r"sk-[0-9a-f]{32}", key=r"deepseek", sample=lambda: "sk" + "-" + scramble("deepseek", 32, _HEX), variable="DEEPSEEK_API_KEY", opens="runs models on your bill", revoke="https://platform.deepseek.com/api_keys"),
    secret("nvidia-api-key", "NVIDIA API key", "nvapi-<w60-70>", opens="runs models on your bill", revoke="https://build.nvidia.com/settings/api-keys"),
    secret("cohere-api-key", "Cohere API key", pattern=r"[A-Za-z0-9]{40}", key=r"cohere|co_api", sample=lambda: scramble("cohere", 40), variable="COHERE_API_KEY", opens="runs models on your bill", revoke="https://dashboard.cohere.com/api-keys", floor=3.5),
    secret("mistral-api-key", "Mistral API key", pattern=r"[A-Za-z0-9]{32}", key=r"mistral", sample=lambda: scramble("mistral", 32), variable="MISTRAL_API_KEY", opens="runs models on your bill", revoke="https://console.mistral.ai/api-keys", floor=3.5),
    secret("elevenlabs-api-key", "ElevenLabs API key", pattern=r"\bsk_[0-9a-f]{48}\b", keywords=("sk_",), sample=lambda: "sk" + "_" + scramble("eleven", 48, _HEX), opens="makes speech on your bill", revoke="https://elevenlabs.io/app/settings/api-keys", severity=Severity.HIGH),
    secret("langsmith-api-key", "LangSmith API key", pattern=r"\blsv2_(?:pt|sk)_[0-9a-f]{32}_[0-9a-f]{10}\b", keywords=("lsv2_",), sample=lambda: "lsv2" + "_pt_" + scramble("ls", 32, _HEX) + "_" + scramble("ls2", 10, _HEX), opens="reads your prompts and traces", revoke="https://smith.langchain.com/settings"),
    secret("langfuse-secret-key", "Langfuse secret key", "sk-lf-<h8>-<h4>-<h4>-<h4>-<h12>", opens="reads your prompts and traces", revoke="https://cloud.langfuse.com"),
    secret("pinecone-api-key", "Pinecone API key", "pcsk_<a5-6>_<a60-70>", opens="reads and changes your indexes", revoke="https://app.pinecone.io"),
    secret("wandb-api-key", "Weights & Biases key", pattern=r"[0-9a-f]{40}", key=r"wandb", sample=lambda: scramble("wandb", 40, _HEX), variable="WANDB_API_KEY", opens="reads and writes your runs", revoke="https://wandb.ai/authorize", severity=Severity.HIGH),
    secret("tavily-api-key", "Tavily API key", "tvly-<a32>", opens="searches on your bill", revoke="https://app.tavily.com", severity=Severity.HIGH),
    secret("fireworks-api-key", "Fireworks API key", "fw_<a24>", opens="runs models on your bill", revoke="https://fireworks.ai/account/api-keys", floor=3.3),
    secret("jina-api-key", "Jina API key", "jina_<w60>", opens="runs models on your bill", revoke="https://jina.ai/api-dashboard"),
    secret("databricks-token", "Databricks token", pattern=r"\bdapi[0-9a-f]{32}(?:-[0-9])?\b", keywords=("dapi",), sample=lambda: "da" + "pi" + scramble("databricks", 32, _HEX), opens="reads data and runs code in the workspace", revoke="https://docs.databricks.com/dev-tools/auth/pat.html"),
    secret("planetscale-password", "PlanetScale password", "pscale_pw_<p32-64>", opens="reads and changes the database", revoke="https://app.planetscale.com"),
    secret("planetscale-token", "PlanetScale token", "pscale_tkn_<p32-64>", opens="manages your databases", revoke="https://app.planetscale.com"),
    secret("planetscale-oauth-token", "PlanetScale OAuth token", "pscale_oauth_<p32-64>", opens="manages your databases", revoke="https://app.planetscale.com"),
    secret("neon-api-key", "Neon API key", "napi_<l60-70>", opens="manages your databases", revoke="https://console.neon.tech/app/settings/api-keys"),
    secret("supabase-token", "Supabase token", "sbp_<h40>", opens="manages your projects", revoke="https://supabase.com/dashboard/account/tokens"),
    secret("supabase-secret-key", "Supabase secret key", "sb_secret_<w22-40>", opens="reads and changes the whole database", revoke="https://supabase.com/dashboard/project/_/settings/api-keys"),
    secret("aiven-token", "Aiven token", "aivenv1_<b300-400>", opens="manages your services", revoke="https://console.aiven.io/profile/tokens"),
    secret("confluent-secret", "Confluent Cloud secret", pattern=r"[A-Za-z0-9+/]{64}", key=r"confluent.*(?:secret|password)", sample=lambda: scramble("confluent", 64, ALPHANUMERIC), variable="CONFLUENT_API_SECRET", opens="reads and writes your topics", revoke="https://confluent.cloud/settings/api-keys", floor=4.0),
    secret("upstash-token", "Upstash token", pattern=r"A[A-Za-z0-9]{55,75}={0,2}", key=r"upstash.*token", sample=lambda: "AX" + scramble("upstash", 58), variable="UPSTASH_REDIS_REST_TOKEN", opens="reads and changes the database", revoke="https://console.upstash.com", floor=3.5),
    secret("grafana-service-account-token", "Grafana service-account token", pattern=r"\bglsa_[A-Za-z0-9]{32}_[0-9A-Fa-f]{8}\b", keywords=("glsa_",), sample=_grafana, check=crc32_hex_suffix, opens="reads and changes your dashboards and sources", revoke="https://grafana.com/docs/grafana/latest/administration/service-accounts/"),
    secret("grafana-cloud-token", "Grafana Cloud token", pattern=r"\bglc_eyJ[A-Za-z0-9+/]{60,400}={0,2}", keywords=("glc_",), sample=lambda: "glc" + "_ey" + "J" + scramble("glc", 120), check=base64_json, opens="reads and writes your metrics and logs", revoke="https://grafana.com/orgs"),
    secret("grafana-api-key", "Grafana API key", "eyJrIjoi<b60-400>", opens="reads and changes your dashboards", revoke="https://grafana.com/docs/grafana/latest/administration/service-accounts/"),
    secret("sentry-org-token", "Sentry organisation token", pattern=r"\bsntrys_eyJ[A-Za-z0-9+/=]{60,400}_[A-Za-z0-9+/]{43}", keywords=("sntrys_",), sample=lambda: "sntrys" + "_ey" + "J" + scramble("sentry", 120) + "_" + scramble("sentry2", 43), check=base64_json, opens="uploads releases and reads your errors", revoke="https://sentry.io/settings/auth-tokens/"),
    secret("sentry-user-token", "Sentry user token", "sntryu_<h64>", opens="acts as that user at Sentry", revoke="https://sentry.io/settings/account/api/auth-tokens/"),
    secret("new-relic-user-key", "New Relic user key", "NRAK-<u27>", opens="reads and changes your monitoring", revoke="https://one.newrelic.com/api-keys"),
    secret("new-relic-license-key", "New Relic licence key", "<h36>NRAL", keywords=("NRAL",), opens="sends data on your bill", revoke="https://one.newrelic.com/api-keys", variable="NEW_RELIC_LICENSE_KEY", severity=Severity.HIGH),
    secret("new-relic-insert-key", "New Relic insert key", "NRII-<w32>", opens="sends data on your bill", revoke="https://one.newrelic.com/api-keys", severity=Severity.HIGH),
    secret("datadog-api-key", "Datadog API key", pattern=r"[0-9a-f]{32}", key=r"datadog|^dd_?(?:api|client)", sample=lambda: scramble("dd", 32, _HEX), variable="DD_API_KEY", opens="sends metrics and logs on your bill", revoke="https://app.datadoghq.com/organization-settings/api-keys", severity=Severity.HIGH),
    secret("datadog-app-key", "Datadog application key", pattern=r"[0-9a-f]{40}", key=r"datadog|^dd_?app", sample=lambda: scramble("dda", 40, _HEX), variable="DD_APP_KEY", opens="reads and changes your monitoring", revoke="https://app.datadoghq.com/organization-settings/application-keys"),
    secret("dynatrace-token", "Dynatrace token", "dt0c01.<u24>.<u64>", opens="reads and changes your monitoring", revoke="https://docs.dynatrace.com/docs/manage/identity-access-management/access-tokens-and-oauth-clients"),
    secret("honeycomb-key", "Honeycomb ingest key", pattern=r"\bhc[abx]ik_[0-9a-z]{58}\b", keywords=("ik_",), sample=lambda: "hca" + "ik_" + scramble("honey", 58, "abcdefghijklmnopqrstuvwxyz0123456789"), opens="sends events on your bill", revoke="https://ui.honeycomb.io", severity=Severity.HIGH),
    secret("error-tracker-token", "Honeybadger or Rollbar token", pattern=r"[0-9a-f]{32}|hbp_[A-Za-z0-9]{36}", key=r"honeybadger|rollbar|bugsnag|airbrake", sample=lambda: scramble("rollbar", 32, _HEX), variable="ROLLBAR_ACCESS_TOKEN", opens="sends errors on your bill, or reads them", revoke="https://rollbar.com/settings/accounts/", severity=Severity.MEDIUM),
    secret("pagerduty-key", "PagerDuty key", pattern=r"[A-Za-z0-9+_-]{20}|[0-9a-f]{32}", key=r"pager_?duty|^pd_", sample=lambda: scramble("pd", 20), variable="PAGERDUTY_API_KEY", opens="changes who is called, or silences incidents", revoke="https://support.pagerduty.com/main/docs/api-access-keys", floor=3.2, severity=Severity.HIGH),
    secret("opsgenie-key", "Opsgenie key", pattern=r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", key=r"opsgenie|genie_?key", sample=lambda: sample_of(UUID, "og"), variable="OPSGENIE_API_KEY", opens="creates and closes alerts", revoke="https://app.opsgenie.com/settings/api-key-management", severity=Severity.HIGH),
    secret("log-service-token", "Loggly, Logz.io or LogDNA key", pattern=r"[0-9a-f]{32}|[A-Za-z]{32}|[0-9a-f-]{36}", key=r"logz_?io|loggly|logdna|papertrail|sumo_?logic|logentries", sample=lambda: scramble("logz", 32, _HEX), variable="LOGZIO_TOKEN", opens="sends logs on your bill, or reads them", revoke="https://app.logz.io", severity=Severity.MEDIUM),
    secret("analytics-secret", "Product analytics secret", pattern=r"[0-9a-f]{32}", key=r"(?:amplitude|mixpanel|segment|heap|intercom).*(?:secret|write_?key|token)", sample=lambda: scramble("mixpanel", 32, _HEX), variable="MIXPANEL_API_SECRET", opens="reads your users' events", revoke="https://mixpanel.com/settings/project", severity=Severity.MEDIUM),
    secret("posthog-personal-key", "PostHog personal key", "phx_<a43-47>", opens="reads and changes your analytics", revoke="https://app.posthog.com/settings/user-api-keys"),
    secret("axiom-token", "Axiom token", pattern=r"\bxa[ap]t-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", keywords=("xaat-", "xapt-"), sample=lambda: "xa" + "pt-" + sample_of(UUID, "axiom"), opens="reads your logs", revoke="https://app.axiom.co", severity=Severity.HIGH),
    secret("django-secret-key", "Django secret key of a started project", pattern=r"django-insecure-[A-Za-z0-9!@#$%^&*()_+=-]{40,60}", keywords=("django-insecure-",), sample=lambda: "django" + "-insecure-" + scramble("django", 50, "abcdefghijklmnopqrstuvwxyz0123456789!@#%^&*(-_=+)"),
        variable="SECRET_KEY", opens="forges sessions, password-reset links and signed cookies", revoke="https://docs.djangoproject.com/en/stable/ref/settings/#secret-key", steps="put the old one in SECRET_KEY_FALLBACKS while sessions move over", severity=Severity.MEDIUM),
    secret("laravel-app-key", "Laravel application key", pattern=r"base64:[A-Za-z0-9+/]{43}=", key=r"app_?key|key", sample=lambda: "base" + "64:" + scramble("laravel", 43) + "=", variable="APP_KEY", opens="forges sessions and decrypts stored values", revoke="https://laravel.com/docs/encryption", severity=Severity.HIGH, floor=3.5),
)  # fmt: skip
