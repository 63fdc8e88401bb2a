"""Code hosting, package registries, continuous integration and quality services."""

# One credential a row: a table reads better wide than wrapped.
# ruff: noqa: E501

from __future__ import annotations

from hardenctl.model.finding import Severity
from hardenctl.rules.fakes import github_token, scramble
from hardenctl.rules.secrets.declare import SecretRule, secret
from hardenctl.rules.secrets.shape import UUID, sample_of
from hardenctl.rules.secrets.structure import crc32_base62, gitlab_routable, pypi

_GITHUB = "https://github.com/settings/tokens"
_GITLAB = "https://gitlab.com/-/user_settings/personal_access_tokens"
_HEX = "0123456789abcdef"


def _github(slug: str, name: str, prefix: str, opens: str, revoke: str = _GITHUB) -> SecretRule:
    return secret(
        slug, name, f"{prefix}_<a36>", opens=opens, revoke=revoke, check=crc32_base62, floor=3.0,
        sample=lambda: github_token(prefix, slug), variable="GITHUB_TOKEN",
    )  # fmt: skip


def _gitlab(slug: str, name: str, prefix: str, opens: str) -> SecretRule:
    return secret(
        slug, name, f"{prefix}<w20>", pattern=rf"\b{prefix}(?:[0-9A-Za-z_-]{{27,300}}\.[0-9a-z]{{2}}\.?[0-9a-z]{{7,9}}|[0-9A-Za-z_-]{{20,64}})", opens=opens,
        revoke=_GITLAB, check=gitlab_routable, variable="GITLAB_TOKEN", floor=3.0,
    )  # fmt: skip


RULES: tuple[SecretRule, ...] = (
    _github("github-token", "GitHub personal access token", "ghp", "does on GitHub what its owner may do"),
    _github("github-oauth-token", "GitHub OAuth token", "gho", "acts as that user through the application", "https://github.com/settings/applications"),
    _github("github-user-token", "GitHub App user token", "ghu", "acts as that user through the app", "https://github.com/settings/apps/authorizations"),
    _github("github-server-token", "GitHub App installation token", "ghs", "acts as the app for an hour", "https://github.com/settings/installations"),
    _github("github-refresh-token", "GitHub refresh token", "ghr", "gets new tokens for that user", "https://github.com/settings/apps/authorizations"),
    secret("github-fine-grained-token", "GitHub fine-grained token", "github_pat_<a22>_<a59>", opens="does on GitHub what it was scoped to",
        revoke="https://github.com/settings/personal-access-tokens", variable="GITHUB_TOKEN"),
    _gitlab("gitlab-token", "GitLab personal access token", "glpat-", "does on GitLab what its owner may do"),
    _gitlab("gitlab-deploy-token", "GitLab deploy token", "gldt-", "reads your repositories and registries"),
    _gitlab("gitlab-runner-token", "GitLab runner token", "glrt-", "poses as a runner and sees job secrets"),
    _gitlab("gitlab-pipeline-trigger-token", "GitLab trigger token", "glptt-", "starts pipelines"),
    _gitlab("gitlab-ci-job-token", "GitLab job token", "glcbt-", "acts as a running job"),
    _gitlab("gitlab-feed-token", "GitLab feed token", "glft-", "reads your activity feeds"),
    _gitlab("gitlab-oauth-secret", "GitLab OAuth application secret", "gloas-", "poses as your application"),
    _gitlab("gitlab-agent-token", "GitLab agent token", "glagent-", "poses as your cluster's agent"),
    _gitlab("gitlab-incoming-mail-token", "GitLab incoming mail token", "glimt-", "creates issues as that user"),
    _gitlab("gitlab-scim-token", "GitLab SCIM token", "glsoat-", "adds and removes users of the group"),
    secret("gitlab-runner-registration-token", "GitLab runner registration token", "GR1348941<w20>", opens="registers runners that see job secrets", revoke=_GITLAB),
    secret("bitbucket-app-password", "Bitbucket app password", "ATBB<a32>", opens="reads and writes the user's repositories",
        revoke="https://bitbucket.org/account/settings/app-passwords/"),
    secret("bitbucket-access-token", "Bitbucket access token", "ATCTT3xFfG<w160-260>", opens="reads and writes the repository", revoke="https://bitbucket.org/account/settings/"),
    secret("atlassian-api-token", "Atlassian API token", pattern=r"\bATATT3[A-Za-z0-9_=-]{180,200}", keywords=("ATATT3",), sample=lambda: "ATA" + "TT3" + scramble("atlassian", 186),
        opens="acts as that user in Jira and Confluence", revoke="https://id.atlassian.com/manage-profile/security/api-tokens"),
    secret("npm-token", "npm access token", "npm_<a36>", opens="publishes packages in your name", revoke="https://www.npmjs.com/settings/~/tokens", check=crc32_base62,
        sample=lambda: github_token("npm", "npm-token"), floor=3.0),
    secret("pypi-token", "PyPI token", "pypi-AgEIcHlwaS5vcmc<w50-250>", opens="publishes packages in your name",
        revoke="https://pypi.org/manage/account/token/", check=pypi),
    secret("pypi-test-token", "TestPyPI token", "pypi-AgENdGVzdC5weXBpLm9yZw<w50-250>", opens="publishes packages on TestPyPI", check=pypi,
        revoke="https://test.pypi.org/manage/account/token/", severity=Severity.MEDIUM),
    secret("rubygems-key", "RubyGems API key", "rubygems_<h48>", opens="publishes gems in your name", revoke="https://rubygems.org/profile/api_keys"),
    secret("nuget-key", "NuGet API key", "oy2<l43>", opens="publishes packages in your name", revoke="https://www.nuget.org/account/apikeys", floor=3.3),
    secret("crates-io-token", "crates.io token", "cio<a32>", opens="publishes crates in your name", revoke="https://crates.io/settings/tokens", floor=3.5),
    secret("clojars-token", "Clojars token", "CLOJARS_<h60>", opens="publishes packages in your name", revoke="https://clojars.org/tokens"),
    secret("docker-hub-token", "Docker Hub token", "dckr_pat_<w27>", opens="pulls and pushes your images", revoke="https://app.docker.com/settings/personal-access-tokens"),
    secret("docker-hub-org-token", "Docker Hub organisation token", "dckr_oat_<w32>", opens="pulls and pushes your images", revoke="https://app.docker.com/"),
    secret("artifactory-api-key", "Artifactory API key", "AKCp<a69>", opens="reads and writes your artifacts", revoke="https://jfrog.com/help/r/jfrog-platform-administration-documentation/api-key"),
    secret("artifactory-reference-token", "Artifactory reference token", "cmVmdGtuOjAxOj<a50>", opens="reads and writes your artifacts", revoke="https://jfrog.com/help/r/jfrog-platform-administration-documentation/access-tokens"),
    secret("sonarqube-token", "SonarQube token", pattern=r"\bsq[apu]_[0-9a-f]{40}\b", keywords=("sqa_", "sqp_", "squ_"), sample=lambda: "sq" + "u_" + scramble("sonar", 40, _HEX),
        opens="reads source and findings", revoke="https://sonarcloud.io/account/security", severity=Severity.HIGH),
    secret("circleci-token", "CircleCI token", "CCIPAT_<a22>_<h40>", opens="runs pipelines and reads their settings", revoke="https://app.circleci.com/settings/user/tokens"),
    secret("circleci-project-token", "CircleCI project token", "CCIPRJ_<a22>_<h40>", opens="runs the project's pipelines", revoke="https://app.circleci.com/"),
    secret("buildkite-token", "Buildkite token", "bkua_<h40>", opens="runs pipelines", revoke="https://buildkite.com/user/api-access-tokens"),
    secret("travis-token", "Travis CI token", pattern=r"[A-Za-z0-9_-]{20,22}", key=r"travis.*(?:token|key|secret)", sample=lambda: scramble("travis", 22), variable="TRAVIS_TOKEN",
        opens="runs builds and reads their settings", revoke="https://app.travis-ci.com/account/preferences", floor=3.2, severity=Severity.HIGH),
    secret("codecov-token", "Codecov token", pattern=r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[A-Za-z0-9]{32}", key=r"codecov.*(?:token|key)|coveralls.*token",
        sample=lambda: sample_of(UUID, "codecov"), variable="CODECOV_TOKEN", opens="uploads coverage reports in your name",
        revoke="https://app.codecov.io/", severity=Severity.MEDIUM),
    secret("snyk-token", "Snyk token", pattern=r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", key=r"snyk.*(?:token|key|api)",
        sample=lambda: sample_of(UUID, "snyk"), variable="SNYK_TOKEN", opens="reads your projects' weaknesses", revoke="https://app.snyk.io/account", severity=Severity.HIGH),
    secret("jenkins-token", "Jenkins API token", pattern=r"11[0-9a-f]{32}", key=r"jenkins", sample=lambda: "11" + scramble("jenkins", 32, _HEX), variable="JENKINS_API_TOKEN",
        opens="runs jobs and reads their settings", revoke="https://www.jenkins.io/doc/book/system-administration/authenticating-scripted-clients/"),
    secret("sourcegraph-token", "Sourcegraph token", pattern=r"\bsgp_(?:[0-9a-f]{16}_|local_)?[0-9a-f]{40}\b", keywords=("sgp_",), sample=lambda: "sgp" + "_" + scramble("sg", 40, _HEX),
        opens="reads all indexed source", revoke="https://sourcegraph.com/user/settings/tokens"),
    secret("launchdarkly-sdk-key", "LaunchDarkly SDK key", f"sdk-{UUID}", opens="reads your flags and their rules", revoke="https://app.launchdarkly.com/settings/projects", severity=Severity.HIGH),
    secret("launchdarkly-api-token", "LaunchDarkly API token", f"api-{UUID}", opens="changes your flags", revoke="https://app.launchdarkly.com/settings/authorization"),
    secret("postman-api-key", "Postman API key", "PMAK-<h24>-<h34>", opens="reads your collections and the secrets in them", revoke="https://go.postman.co/settings/me/api-keys"),
    secret("postman-collection-key", "Postman collection access key", "PMAT-<a26>", opens="reads that collection", revoke="https://go.postman.co/", severity=Severity.HIGH),
    secret("readme-token", "ReadMe API key", "rdme_<l70>", opens="changes your documentation", revoke="https://dash.readme.com", severity=Severity.HIGH),
    secret("prefect-token", "Prefect token", "pnu_<a36>", opens="runs your flows", revoke="https://app.prefect.cloud/my/api-keys"),
    secret("prefect-service-token", "Prefect service key", "pnb_<a36>", opens="runs your flows", revoke="https://app.prefect.cloud/"),
    secret("infracost-key", "Infracost key", "ico-<a32>", opens="reads your cost estimates", revoke="https://dashboard.infracost.io", severity=Severity.MEDIUM),
    secret("figma-token", "Figma token", "figd_<w40-44>", opens="reads your design files", revoke="https://www.figma.com/settings", severity=Severity.HIGH),
    secret("linear-api-key", "Linear API key", "lin_api_<a40>", opens="reads and changes your issues", revoke="https://linear.app/settings/account/security", severity=Severity.HIGH),
    secret("linear-oauth-token", "Linear OAuth token", "lin_oauth_<h64>", opens="reads and changes your issues", revoke="https://linear.app/settings/api", severity=Severity.HIGH),
    secret("scalingo-token", "Scalingo token", "tk-us-<w48>", opens="deploys to your apps", revoke="https://dashboard.scalingo.com/account/tokens"),
    secret("harness-token", "Harness token", pattern=r"\b(?:pat|sat)\.[A-Za-z0-9_-]{22}\.[0-9a-f]{24}\.[A-Za-z0-9]{20}\b", keywords=("pat.", "sat."),
        sample=lambda: "pat" + "." + scramble("harness", 22) + "." + scramble("harness2", 24, _HEX) + "." + scramble("harness3", 20), opens="runs your pipelines", revoke="https://app.harness.io"),
    secret("deno-deploy-token", "Deno Deploy token", pattern=r"\bdd[pw]_[A-Za-z0-9]{36}\b", keywords=("ddp_", "ddw_"), sample=lambda: "ddp" + "_" + scramble("deno", 36), opens="deploys your projects", revoke="https://dash.deno.com/account#access-tokens"),
)  # fmt: skip
