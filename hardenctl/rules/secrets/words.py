"""The words that tell keys and values apart. Data only: each set says what a member means."""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# A key that ends in one of these names a credential: `DB_PASSWORD`, `clientSecret`, `GITHUB_TOKEN`.
CREDENTIAL_WORDS = _words("""
    apikey apikeys apisecret apitoken accesskey appsecret authkey authpass authtoken bearer clientsecret credential
    credentials creds cookiesecret dbpass dbpasswd dbpassword dbpw encryptionkey jwt keypass mysecret nkey otp
    passcode passphrase passwd passwds passwort password passwords passwrd pass pat pepper pgpassword privatekey psk pwd
    pword pw mdp contrasena senha secret secretkey secrets secretaccesskey sharedsecret signingkey sessionid storepass
    token tokens totp userpass userpassword webhooksecret
""")

# `*_KEY` is a credential only with one of these before it: `SECRET_KEY`, `API_KEY`, not `PRIMARY_KEY`.
KEY_QUALIFIERS = _words("""
    access account admin aes anon api app auth authentication authorization base64 bot cipher client consumer cookie
    credential crypt crypto csrf customer cypher decrypt decryption deploy des developer django ecdsa ed25519 encrypt
    encrypted encryption enc fernet flask gpg hmac host hs256 integration jwt laravel license licence machine maps
    master merchant openai partner password pass pem permanent private rsa salt secret secure security server service
    session shared sign signature signing ssh ssl storage stripe subscription tls token user verification vault
    webhook wep wpa write admin root read ingest instrumentation aws azure gcp google github gitlab slack twilio
    sendgrid mailgun datadog newrelic sentry algolia mapbox anthropic huggingface x
""")

# Before a last `KEY`, these make it no credential whatever stands further left: `SECRET_PUBLIC_KEY`.
PUBLIC_WORDS = _words("public pub publishable published site sitekey cache primary foreign sort partition hash")

# After (or before) the credential word, these make the key a statement about a credential: `PASSWORD_MIN_LENGTH`.
ABOUT_SUFFIXES = _words("""
    abs action age alg algo algorithm algorithms alias arn array attempts attr attribute attributes audience backend
    bits bucket button bytes callback case category chars charset check checker checksum class claim code codes column
    columns command config configuration configured confirm confirmation constraint context controller cost count
    created custom date day days default delay delimiter dict dir directory disabled display dto duration enable
    enabled encoding encrypted endpoint endpoints engine entity env environment error errors event exception exist
    exists expiration expire expired expires expiry export fail failed failure feature field fields file filename
    files filepath filter fingerprint flag flow folder form format found func function generator getter group groups
    handler hash hashed hasher hashers hashes head header headers help hidden hint host hours icon id identifier ids
    index info input interval invalid issuer item iterations kind label labels lambda last leeway len length lifetime
    limit limits link list loader location lookup manager manual map mapping mask match matcher max maximum message
    messages meta metadata method methods middleware min minimum minutes missing mode model module ms msg mtime name
    names namespace needed note number obj object offset only option optional options order output owner page param
    parameter parameters params parser path paths pattern permission permissions phrase pk placeholder plugin policy
    port position prefix process processor prompt property protocol provider purpose query ratio reason ref reference
    refresh regex regexp regions registry remaining renew request required requirements reset resolver response result
    retries role roles rotation rounds rule rules schema scheme scope scopes screen seconds secs section selector
    separator serializer service set setting settings sha shadow size source spec stage start state status step store
    strategy strength style suffix table tag template test tests text threshold time timeout times timestamp title
    tooltip total transport ttl type types uri url urls usage used user username users uuid valid validation validator
    validators validity var variable variables version view visible visibility weeks widget window wrapper years
""")
ABOUT_PREFIXES = _words("""
    allow ask can change check confirm contains count create csrf disable disabled empty enable enabled expire forget
    forgot forgotten generate get has hashed hide if invalid is link lost max min minimum maximum missing need needs
    no num number require required requires reset scrub send set show skip update use uses used validate verify wrong
    without
""")

# `*_URL` is a credential when it names a store that takes a password in its URL, or a whole connection string.
STORE_WORDS = _words("""
    amqp broker celery clickhouse cloudamqp cockroach couchdb database db elasticsearch jdbc kafka mariadb memcached
    mongo mongodb mssql mysql neo4j opensearch oracle pg postgres postgresql rabbitmq redis sentry smtp sql sqlalchemy
    cloudinary results result email
""")

# Calls that take a value apart, compare it or look it up: their argument is nobody's credential.
ASKING_WORDS = _words("""
    get has is find fetch load read make generate create encode verify check validate compare hash parse delete remove
    strip split join test assert expect match require import list count exists ensure handle render show print log
""")

# Before a last `key`, these make it the name of a thing: of a row, of a cache entry, of a document.
ROW_WORDS = _words("""
    unique cache context spreadsheet partition sort primary foreign composite natural row dict map lookup hot short
    translation i18n idempotency storage object s3 file sheet document route query param field column group order recv
""")

# What stands where a person should put a credential. A value any of whose words is here is a placeholder.
PLACEHOLDER_WORDS = _words("""
    changeit changeme changethis change chang3me placeholder replace replaceme replacethis your yours yourpassword
    yoursecret yourkey yourtoken youraccesskey yoursecretkey yourapikey todo fixme tbd insert redacted removed masked
    hidden censored omitted example examples sample dummy fake fakekey bogus fill fillme notasecret none null
    undefined nil unset empty default goes some any enter xxx xxxx xxxxx xxxxxx xxxxxxx xxxxxxxx yyy zzz blah lorem
    ipsum putyour setme fixture mock mocked stub fakefakefake nothing whatever something anything unknown invalid
    unused here
""")

# What people type when they are asked for any password. A value made only of these (and digits) is guessable.
WEAK_WORDS = _words("""
    be some random string strings custom unsafe used use creative default long
    uuid guid csrf utf audience issuer look mask psk dbname inherit incorrect mismatch nope inquisition spanish weak
    guess broken empty a aa aaa aaaa ab abc abcd abcde abcdef abcdefg abcdefgh access account admin administrator adm
    alice amqp an and api app application asd asdf asdfgh auth b backend bar base baz bitnami bla bob broker c cache
    client cloud code complex consumer control cookie correct credential credentials ci customer data database db
    debug deploy demo dev develop developer development django docker doe domain east elastic elasticsearch email
    encrypt encryption env fastapi flask foo foobar fake frontend ftp git github gitlab god google grafana guest
    harbor hello hidden hi home horse host hunter i id in influx influxdb insecure internal is it jane java jdbc
    jenkins john jwt kafka keycloak key keys kibana king lab laravel ldap let letmein little local localhost log login
    logstash long love mail main manager mariadb master me member minio miniostorage monkey mongo mongodb mssql my
    mysql name neo nexus new nginx no nobody node not notsecure ok old one only open opensearch operator oracle order
    org other owner p pa param pass passcode passphrase passw passwd password passwords passwort pg pgadmin postgis
    postgres postgresql pgsql ping pong portal prefect private prod production project prometheus proxy pub public pwd
    pw python q qa qaz qwe qwer qwert qwerty qwertyuiop rabbit rabbitmq random rails readonly real redis registry
    remote rest root ruby sa safe salt sandbox secret secretkey secretpassword secrets secure security server service
    session shared sign signing simple site smtp some sonar spring sql ssh ssl staging start storage store strong
    strongpassword sample super superadmin supersecret superset superuser support swordfish sys system t tech temp
    temporary test tester testing tests that the this three tiger to token tokens tomcat top topsecret trustno two
    unsafe untrusted us user username users value vagrant vault very verysecret very veryverysecret w web webadmin
    webapp welcome west with wordpress work worker world x xyz y yes you z zaq zip zxc zxcv zxcvbn sekret sekrit
    secr3t s3cret s3cr3t passw0rd pa55word pa55w0rd p4ssw0rd p4ssword p4ss pa55 t3st r00t adm1n t0ken shh shhh shhhh
    shhhhh shhhhhh airflow authentik celery changed cms dummy example fizz buzz hash joe knight keyboard cat kube
    kubernetes lol looker magic metabase mail mailhog n8n nextcloud none openldap orders phpmyadmin player plausible
    public pulsar qux quux read reader readwrite refresh sentry showcase solr sonarqube spark strapi string supabase
    teamcity text timescale traefik trino true false umami unicorn unit vader wiki wrong write writer zabbix zookeeper
    bearer basic different another bad good first second third invalid initial updated actual expected existing
    current final keyword hashed hacker does yolo
    ansible confluent drupal discourse freshrss gitea gogs joomla magento matomo mattermost moodle nextcloud opencart
    owncloud prestashop rancher rocketchat rundeck taiga vaultwarden wallabag zulip
""")

# Single values of common password lists that are made of no words.
WEAK_VALUES = _words("""
    iloveyou princess dragon sunshine football baseball shadow ashley michael superman batman trustno1 hunter2
    correcthorsebatterystaple keyboardcat 1q2w3e4r 1q2w3e4r5t 1q2w3e 1qaz2wsx zaq12wsx q1w2e3r4 qazwsx a1b2c3d4
    abcd1234 p@ssw0rd p@ssword p@$$w0rd pa$$word pa$$w0rd passw0rd! p@55w0rd letmein1 welcome1 starwars monkey123
    charlie thomas jordan jennifer ninja mustang donald matrix freedom yourstrong!passw0rd yourstrong(!)password
    yourstrongpassw0rd
""")
