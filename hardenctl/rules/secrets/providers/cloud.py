"""Clouds, hosting and infrastructure."""

# One credential a row: a table reads better wide than wrapped.
# ruff: noqa: E501

from __future__ import annotations

from hardenctl.model.finding import Severity
from hardenctl.rules.fakes import ALPHANUMERIC, BASE32, scramble
from hardenctl.rules.secrets.declare import SecretRule, secret
from hardenctl.rules.secrets.shape import UUID, sample_of
from hardenctl.rules.secrets.structure import aws_account, azure_sas, service_account

_AWS = "https://console.aws.amazon.com/iam/home#/security_credentials"
_AZURE = "https://portal.azure.com"
_GOOGLE = "https://console.cloud.google.com/apis/credentials"

RULES: tuple[SecretRule, ...] = (
    secret(
        "aws-access-key-id", "AWS access key id", pattern=r"\b(?:AKIA|ABIA|ACCA)[A-Z0-9]{16}\b",
        keywords=("AKIA", "ABIA", "ACCA"), sample=lambda: "AK" + "IA" + scramble("aws-access-key-id", 16, BASE32),
        variable="AWS_ACCESS_KEY_ID", opens="and the secret beside it acts as that AWS user", revoke=_AWS,
        steps="deactivate the key first, watch for what breaks, then delete it", check=aws_account, severity=Severity.HIGH,
    ),
    secret(
        "aws-temporary-key-id", "AWS temporary access key id", pattern=r"\bASIA[A-Z0-9]{16}\b", keywords=("ASIA",),
        sample=lambda: "AS" + "IA" + scramble("aws-temporary-key-id", 16, BASE32), variable="AWS_ACCESS_KEY_ID",
        opens="and the session beside it acts as that AWS role until it ends", revoke=_AWS, check=aws_account,
        severity=Severity.MEDIUM,
    ),
    secret(
        "aws-unique-id", "AWS user or role id", pattern=r"\b(?:AROA|AIDA|ANPA|AIPA|AGPA)[A-Z0-9]{16,17}\b",
        keywords=("AROA", "AIDA", "ANPA", "AIPA", "AGPA"), sample=lambda: "AR" + "OA" + scramble("aws-unique-id", 17, BASE32),
        variable="AWS_ROLE_ID", opens="knows which account and role to aim at", revoke=_AWS, check=aws_account,
        severity=Severity.LOW,
    ),
    secret(
        "aws-secret-access-key", "AWS secret access key", pattern=r"[A-Za-z0-9/+]{40}", key=r"aws|secret_?access|access_?key",
        sample=lambda: scramble("aws-secret-access-key", 40, ALPHANUMERIC + "+/"), variable="AWS_SECRET_ACCESS_KEY",
        opens="and its key id acts as that AWS user", revoke=_AWS,
        steps="deactivate the key first, watch for what breaks, then delete it", floor=3.7,
    ),
    secret(
        "aws-session-token", "AWS session token", pattern=r"(?:IQoJ|FwoG|FQoG)[A-Za-z0-9/+=]{100,}", key=r"session_?token|security_?token",
        sample=lambda: "IQo" + "J" + scramble("aws-session", 180), variable="AWS_SESSION_TOKEN",
        opens="acts as that AWS role until the session ends", revoke=_AWS, severity=Severity.HIGH,
    ),
    secret(
        "aws-mws-token", "Amazon Marketplace token", f"amzn.mws.{UUID}", opens="reads and changes the seller's orders",
        revoke="https://sellercentral.amazon.com/apps/manage", variable="MWS_AUTH_TOKEN",
    ),
    secret(
        "aws-bedrock-api-key", "Amazon Bedrock API key", "ABSKQmVkcm9ja0FQSUtleS<b100-260>",
        opens="runs models on your account", revoke="https://console.aws.amazon.com/bedrock/home#/api-keys",
    ),
    secret(
        "google-api-key", "Google API key", "AIza<w35>", opens="uses the project's Google APIs on its bill",
        revoke=_GOOGLE, steps="restrict the new one to its APIs and callers", severity=Severity.HIGH, floor=3.0,
    ),
    secret(
        "google-oauth-client-secret", "Google OAuth client secret", "GOCSPX-<w28>",
        opens="can pose as your application at Google's sign-in", revoke=_GOOGLE,
    ),
    secret(
        "google-oauth-access-token", "Google OAuth access token", "ya29.<w40-400>", opens="acts as that user until it expires",
        revoke="https://myaccount.google.com/permissions", severity=Severity.HIGH,
    ),
    secret(
        "google-oauth-refresh-token", "Google OAuth refresh token", "1//0<w40-120>", opens="gets new access tokens for that user",
        revoke="https://myaccount.google.com/permissions",
    ),
    secret(
        "google-service-account", "Google service-account key", pattern=r'"private_key_id\\?"\s{0,8}:\s{0,8}\\?"(?P<secret>[0-9a-f]{40})\b',
        keywords=("private_key_id",), sample=lambda: scramble("gcp-sa", 40, "0123456789abcdef"),
        opens="acts as that service account", revoke="https://console.cloud.google.com/iam-admin/serviceaccounts",
        check=service_account, floor=2.8,
        example='```json title="account.json"\n{"type": "service_account", "private_key_id": "{{fake:secret-google-service-account}}"}\n```',
    ),
    secret(
        "firebase-cloud-messaging-key", "Firebase Cloud Messaging server key", "AAAA<w7>:APA91b<w134>",
        opens="sends messages to every installed copy of your application", revoke="https://console.firebase.google.com",
    ),
    secret(
        "azure-ad-client-secret", "Azure AD client secret", pattern=r"\b[A-Za-z0-9_~.]{3}[0-9]Q~[A-Za-z0-9_~.-]{31,34}",
        keywords=("Q~",), sample=lambda: scramble("azad", 3) + "8" + "Q~" + scramble("azad2", 34), variable="AZURE_CLIENT_SECRET",
        opens="acts as that application in your tenant", revoke="https://entra.microsoft.com",
    ),
    secret(
        "azure-storage-key", "Azure storage account key", pattern=r"AccountKey=(?P<secret>[A-Za-z0-9+/]{86}==)", keywords=("AccountKey=",),
        sample=lambda: scramble("azst", 86, ALPHANUMERIC + "+/") + "==", opens="reads, changes and deletes all of the account's data",
        revoke=_AZURE, floor=4.0, variable="AZURE_STORAGE_CONNECTION_STRING",
        example='```python title="settings.py"\nAZURE_STORAGE = "AccountName=app;AccountKey={{fake:secret-azure-storage-key}}"\n```',
    ),
    secret(
        "azure-storage-account-key", "Azure storage key", pattern=r"[A-Za-z0-9+/]{76}\+ASt[A-Za-z0-9+/]{5}[AQgw]==", key=r"key|azure|storage",
        sample=lambda: scramble("azst2", 76) + "+AS" + "t" + scramble("azst3", 5) + "Q==", opens="reads, changes and deletes all of the account's data",
        revoke=_AZURE, floor=4.0, variable="AZURE_STORAGE_KEY",
    ),
    secret(
        "azure-sas-token", "Azure shared access signature",
        pattern=r"[?&](?:sv|sp|se|st|spr|sr|ss|srt)=[A-Za-z0-9%&=:._-]{10,300}&sig=(?P<secret>[A-Za-z0-9%+/]{40,60}(?:%3D|=))", keywords=("sig=",),
        sample=lambda: scramble("azsas", 43) + "%3D", opens="does with the storage what the signature allows until it ends",
        revoke=_AZURE, check=azure_sas, severity=Severity.HIGH,
        example='```python title="settings.py"\nURL = "https://app.blob.core.windows.net/c?sv=2022-11-02&sp=r&sig={{fake:secret-azure-sas-token}}"\n```',
    ),
    secret(
        "azure-devops-token", "Azure DevOps token", pattern=r"\b[A-Za-z0-9]{76}AZDO[A-Za-z0-9]{4}\b", keywords=("AZDO",),
        sample=lambda: scramble("azdo", 76) + "AZ" + "DO" + scramble("azdo2", 4), opens="reads and writes your repositories and pipelines",
        revoke="https://dev.azure.com/_usersSettings/tokens",
    ),
    secret("azure-functions-key", "Azure Functions key", pattern=r"\b[A-Za-z0-9_-]{44}AzFu[A-Za-z0-9_-]{5}[AQgw]==", keywords=("AzFu",),
        sample=lambda: scramble("azfu", 44) + "Az" + "Fu" + scramble("azfu2", 5) + "Q==", opens="calls your functions", revoke=_AZURE),
    secret("azure-cosmos-key", "Azure Cosmos DB key", pattern=r"[A-Za-z0-9+/]{76}ACDb[A-Za-z0-9+/]{5}[AQgw]==", keywords=("ACDb",),
        sample=lambda: scramble("azcos", 76) + "AC" + "Db" + scramble("azcos2", 5) + "Q==", opens="reads and changes the whole database", revoke=_AZURE),
    secret("azure-service-bus-key", "Azure Service Bus key", pattern=r"[A-Za-z0-9+/]{33}\+(?:ASb|AEh|ARm)[A-Za-z0-9+/]{5}[AQgw]=", keywords=("+ASb", "+AEh", "+ARm"),
        sample=lambda: scramble("azsb", 33) + "+AS" + "b" + scramble("azsb2", 5) + "Q=", opens="reads and sends your messages", revoke=_AZURE),
    secret("azure-redis-key", "Azure Redis key", pattern=r"\b[A-Za-z0-9]{33}AzCa[A-Za-z0-9+/]{5}[AQgw]=", keywords=("AzCa",),
        sample=lambda: scramble("azca", 33) + "Az" + "Ca" + scramble("azca2", 5) + "Q=", opens="reads and changes the cache", revoke=_AZURE),
    secret("azure-search-key", "Azure AI Search key", pattern=r"\b[A-Za-z0-9]{42}AzSe[A-D][A-Za-z0-9]{5}\b", keywords=("AzSe",),
        sample=lambda: scramble("azse", 42) + "Az" + "SeA" + scramble("azse2", 5), opens="reads and changes your search indexes", revoke=_AZURE),
    secret("azure-container-registry-key", "Azure container registry password", pattern=r"[A-Za-z0-9+/]{42}\+ACR[A-D][A-Za-z0-9]{5}\b", keywords=("+ACR",),
        sample=lambda: scramble("acr", 42) + "+A" + "CRA" + scramble("acr2", 5), opens="pulls and pushes your images", revoke=_AZURE),
    secret("digitalocean-token", "DigitalOcean personal token", "dop_v1_<h64>", opens="controls the account's droplets, databases and DNS",
        revoke="https://cloud.digitalocean.com/account/api/tokens"),
    secret("digitalocean-oauth-token", "DigitalOcean OAuth token", "doo_v1_<h64>", opens="acts as that user at DigitalOcean",
        revoke="https://cloud.digitalocean.com/account/api/access"),
    secret("digitalocean-refresh-token", "DigitalOcean refresh token", "dor_v1_<h64>", opens="gets new tokens for that user",
        revoke="https://cloud.digitalocean.com/account/api/access"),
    secret("alibaba-access-key-id", "Alibaba Cloud access key id", "LTAI<a12-20>", opens="and the secret beside it acts as that Alibaba user",
        revoke="https://ram.console.aliyun.com/manage/ak", severity=Severity.HIGH, floor=3.0),
    secret("tencent-secret-id", "Tencent Cloud secret id", "AKID<a32>", opens="and the key beside it acts as that Tencent user",
        revoke="https://console.cloud.tencent.com/cam/capi", severity=Severity.HIGH, floor=3.0),
    secret("yandex-api-key", "Yandex Cloud API key", "AQVN<w35-38>", opens="uses the Yandex service account", revoke="https://console.yandex.cloud"),
    secret("yandex-iam-token", "Yandex IAM token", "t1.9eu<w40-400>", opens="acts as that Yandex account for hours",
        revoke="https://console.yandex.cloud", severity=Severity.HIGH),
    secret("ibm-cloud-api-key", "IBM Cloud API key", pattern=r"[A-Za-z0-9_-]{44}", key=r"ibm|bluemix|watson",
        sample=lambda: scramble("ibm", 44), opens="acts as that IBM Cloud user", revoke="https://cloud.ibm.com/iam/apikeys", floor=3.5),
    secret("heroku-api-key", "Heroku API key", "HRKU-<w58-64>", opens="deploys, reads configuration and runs code in your apps",
        revoke="https://dashboard.heroku.com/account"),
    secret("heroku-legacy-api-key", "Heroku API key", pattern=r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}",
        key=r"heroku.*(?:key|token|secret)", sample=lambda: sample_of(UUID, "heroku"),
        variable="HEROKU_API_KEY", opens="deploys, reads configuration and runs code in your apps", revoke="https://dashboard.heroku.com/account"),
    secret("railway-token", "Railway token", pattern=r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
        key=r"railway.*token", sample=lambda: sample_of(UUID, "railway"),
        variable="RAILWAY_TOKEN", opens="deploys to the project and reads its variables", revoke="https://railway.com/account/tokens"),
    secret("render-api-key", "Render API key", "rnd_<a32>", opens="deploys and reads environment variables",
        revoke="https://dashboard.render.com/u/settings#api-keys", variable="RENDER_API_KEY"),
    secret("fly-token", "Fly.io token", "fo1_<w43>", opens="deploys to and connects into your apps", revoke="https://fly.io/user/personal_access_tokens"),
    secret("fly-macaroon", "Fly.io token", pattern=r"\bfm[12][ra]?_[A-Za-z0-9+/=,_-]{100,600}", keywords=("fm1", "fm2"),
        sample=lambda: "fm2" + "_" + scramble("fly", 200), opens="deploys to and connects into your apps", revoke="https://fly.io/user/personal_access_tokens"),
    secret("vercel-token", "Vercel token", pattern=r"[A-Za-z0-9]{24}", key=r"vercel.*(?:token|key|secret)", sample=lambda: scramble("vercel", 24),
        variable="VERCEL_TOKEN", opens="deploys and reads environment variables", revoke="https://vercel.com/account/tokens", floor=3.2),
    secret("vercel-blob-token", "Vercel Blob token", "vercel_blob_rw_<a16>_<a30>", opens="reads and writes the store", revoke="https://vercel.com/dashboard/stores"),
    secret("netlify-token", "Netlify token", "nfp_<a36>", opens="deploys and reads environment variables",
        revoke="https://app.netlify.com/user/applications#personal-access-tokens"),
    secret("cloudflare-api-key", "Cloudflare global API key", pattern=r"[0-9a-f]{37}", key=r"cloudflare|^cf_",
        sample=lambda: scramble("cfg", 37, "0123456789abcdef"), variable="CLOUDFLARE_API_KEY", opens="controls the whole Cloudflare account",
        revoke="https://dash.cloudflare.com/profile/api-tokens", floor=2.8),
    secret("cloudflare-api-token", "Cloudflare API token", pattern=r"[A-Za-z0-9_-]{40}", key=r"cloudflare|^cf_", sample=lambda: scramble("cft", 40),
        variable="CLOUDFLARE_API_TOKEN", opens="changes the zones it is scoped to", revoke="https://dash.cloudflare.com/profile/api-tokens", floor=3.5),
    secret("cloudflare-origin-ca-key", "Cloudflare origin CA key", "v1.0-<h24>-<h146>", opens="issues certificates for your zones",
        revoke="https://dash.cloudflare.com/profile/api-tokens"),
    secret("linode-token", "Linode token", pattern=r"[0-9a-f]{64}", key=r"linode.*(?:token|key|pat)", sample=lambda: scramble("linode", 64, "0123456789abcdef"),
        variable="LINODE_TOKEN", opens="controls the account's servers", revoke="https://cloud.linode.com/profile/tokens", floor=3.0),
    secret("hetzner-token", "Hetzner Cloud token", pattern=r"[A-Za-z0-9]{64}", key=r"(?:hetzner|hcloud).*(?:token|key)", sample=lambda: scramble("hetzner", 64),
        variable="HCLOUD_TOKEN", opens="controls the project's servers", revoke="https://console.hetzner.cloud", floor=3.5),
    secret("vultr-api-key", "Vultr API key", pattern=r"[A-Z0-9]{36}", key=r"vultr", sample=lambda: scramble("vultr", 36, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"),
        variable="VULTR_API_KEY", opens="controls the account's servers", revoke="https://my.vultr.com/settings/#settingsapi", floor=3.2),
    secret("scaleway-api-key", "Scaleway access key", "SCW<u17>", opens="and the secret beside it controls the project", severity=Severity.HIGH,
        revoke="https://console.scaleway.com/iam/api-keys", floor=3.0),
    secret("terraform-cloud-token", "HCP Terraform token", "<a14>.atlasv1.<w60-70>", keywords=(".atlasv1.",), opens="reads state, which holds secrets, and runs plans",
        revoke="https://app.terraform.io/app/settings/tokens", variable="TF_API_TOKEN"),
    secret("vault-service-token", "Vault service token", "hvs.<w90-120>", opens="reads what its policies allow from Vault", revoke="https://developer.hashicorp.com/vault/docs/commands/token/revoke"),
    secret("vault-batch-token", "Vault batch token", "hvb.<w130-300>", opens="reads what its policies allow from Vault", revoke="https://developer.hashicorp.com/vault/docs/commands/token/revoke", severity=Severity.HIGH),
    secret("pulumi-token", "Pulumi token", "pul-<h40>", opens="reads state and secrets of your stacks", revoke="https://app.pulumi.com/account/tokens"),
    secret("doppler-token", "Doppler token", pattern=r"\bdp\.(?:pt|st|ct|sa|scim|audit)\.(?:[a-z0-9_-]{2,35}\.)?[A-Za-z0-9]{40,44}\b", keywords=("dp.",),
        sample=lambda: "dp." + "pt." + scramble("doppler", 43), opens="reads every secret of the project", revoke="https://dashboard.doppler.com"),
    secret("infisical-token", "Infisical service token", "st.<h24>.<h32>.<h32>", opens="reads every secret of the environment", revoke="https://app.infisical.com"),
    secret("onepassword-service-token", "1Password service-account token", "ops_eyJ<b200-900>", opens="reads the vaults it is given", revoke="https://my.1password.com/developer-tools/directory"),
    secret("onepassword-secret-key", "1Password secret key", pattern=r"\bA3-[A-Z0-9]{6}-(?:[A-Z0-9]{11}|[A-Z0-9]{6}-[A-Z0-9]{5})-[A-Z0-9]{5}-[A-Z0-9]{5}-[A-Z0-9]{5}\b", keywords=("A3-",),
        sample=lambda: "A3" + "-" + "-".join(scramble(f"op{n}", k, "ABCDEFGHJKLMNPQRSTUVWXYZ23456789") for n, k in enumerate((6, 6, 5, 5, 5, 5))),
        opens="and the password opens the account's vaults", revoke="https://my.1password.com/profile", floor=3.0),
    secret("tailscale-key", "Tailscale key", "tskey-<z3-10>-<a8-20>-<a20-40>", keywords=("tskey-",), opens="joins machines to your network", revoke="https://login.tailscale.com/admin/settings/keys"),
    secret("ngrok-token", "ngrok token", pattern=r"[0-9][A-Za-z0-9]{26}_[A-Za-z0-9]{21}|[0-9][A-Za-z0-9]{40,48}", key=r"ngrok.*(?:token|key)|(?:token|key).*ngrok",
        sample=lambda: "2" + scramble("ngrok", 26) + "_" + scramble("ngrok2", 21), variable="NGROK_AUTHTOKEN", opens="opens tunnels in your name", revoke="https://dashboard.ngrok.com/get-started/your-authtoken"),
    secret("age-secret-key", "age secret key", "AGE-SECRET-KEY-1<u58>", opens="decrypts everything encrypted to it", revoke="https://github.com/FiloSottile/age", steps="re-encrypt with a new key and replace all that was encrypted"),
)  # fmt: skip
