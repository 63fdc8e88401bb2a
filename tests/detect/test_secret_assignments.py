"""Every way to write a credential down: found at its exact line and column, and silent where a look-alike stands there.

In the table `§` is the value; `§base64` the value in base64, `§login` `ada:value` in base64, `§docker` a registry login
in base64. A shape is right when the credential in it is found from its first to its last character, and when nothing is
found of the same shape with a reference, a placeholder or a guessable word in the value's place.
"""

from __future__ import annotations

import base64

import pytest

from hardenctl.detect.secrets import detect_secrets, sensitive_spans
from hardenctl.model.blob import Blob, Gap, Provenance
from hardenctl.rules.fakes import scramble
from hardenctl.rules.secrets import RULES

ALL = frozenset(each.id for each in RULES)
VALUE = scramble("shapes", 24)

SHAPES: dict[str, list[tuple[str, str]]] = {
    "operators": [
        ("app.ini", "password = §"),
        ("a.py", 'password := "§"'),
        ("a.rb", 'secret: "§"'),
        ("a.rb", ':password => "§"'),
    ],
    "calls and tuples": [
        ("a.py", 'requests.get(u, auth=("ada", "§"))'),
        ("a.py", 'HTTPBasicAuth("ada", "§")'),
        ("a.py", 'client.login("ada", "§")'),
        ("a.js", 'conn.login("ada@x.io", "§", cb)'),
        ("a.py", 'r.auth = ("ada", "§")'),
        ("A.java", 'DriverManager.getConnection(url, "ada", "§")'),
        ("a.py", 'smtp.login("ada", "§")'),
        ("a.go", 'req.SetBasicAuth("ada", "§")'),
        ("a.php", 'mysqli_connect("db", "ada", "§", "app");'),
        ("a.php", 'new PDO($dsn, "ada", "§");'),
        ("a.py", 'psycopg2.connect(host="db", password="§")'),
        ("a.rb", 'Mysql2::Client.new(password: "§")'),
    ],
    "setters": [
        ("A.java", 'props.put("password", "§");'),
        ("A.java", 'ds.setPassword("§");'),
        ("A.java", 'props.setProperty("db.password", "§");'),
        ("a.cs", 'new NetworkCredential("ada", "§")'),
        ("A.java", 'new UsernamePasswordCredentials("ada", "§")'),
        ("A.kt", 'setSecret("§")'),
        ("a.py", 'setattr(cfg, "api_key", "§")'),
        ("a.py", '("password", "§"),'),
        ("A.java", '.withPassword("§")'),
        ("A.java", '.password("§")'),
    ],
    "escaped quotes": [
        ("a.py", 'x = "{\\"secret_key\\": \\"§\\"}"'),
        ("a.js", 'x = \'{"password":"§"}\''),
        ("a.sh", 'curl -d \'{"password":"§"}\' https://x.io'),
        ("a.sh", 'curl -d "{\\"password\\":\\"§\\"}" https://x.io'),
        ("a.java", '"{\\\\\\"password\\\\\\":\\\\\\"§\\\\\\"}"'),
    ],
    "YAML and JSON": [
        ("a.json", '{"password" : "§"}'),
        ("a.yml", 'password: "§"'),
        ("a.yml", "password: '§'"),
        ("a.yml", "{user: ada, password: §}"),
        ("a.yml", '{user: ada, password: "§"}'),
        ("a.yml", "- password: §"),
        ("a.yml", "password: >-\n  §\n"),
        ("a.yml", "password: |\n  §\n"),
        ("a.yml", "password: !!str §"),
        ("a.yml", "password:\n  §"),
        ("a.yml", 'password:\n  "§"'),
        ("a.yml", "tokens:\n  - §"),
    ],
    "TOML": [
        ("a.toml", 'password = "§"'),
        ("a.toml", "password = '§'"),
        ("a.toml", 'db = { user = "ada", password = "§" }'),
        ("a.toml", 'password = """\n§"""'),
    ],
    "XML": [
        ("a.xml", "<password>§</password>"),
        ("a.xml", '<property name="password">§</property>'),
        ("a.xml", '<property name="password" value="§"/>'),
        ("a.xml", '<entry key="db.password">§</entry>'),
        ("a.xml", '<string name="api_key">§</string>'),
        ("strings.xml", '<string name="google_maps_secret">§</string>'),
        ("a.xml", '<bean p:password="§"/>'),
        ("a.xml", "<password><![CDATA[§]]></password>"),
        ("a.xml", "<password>\n    §\n  </password>"),
        ("a.config", '<add key="Password" value="§"/>'),
        ("a.config", '<add name="c" connectionString="Server=db;User Id=sa;Password=§;" />'),
        ("a.xml", "<server password='§'/>"),
        ("a.xml", '<add value="§" key="ApiSecret"/>'),
        ("a.plist", "<key>ApiSecret</key>\n<string>§</string>"),
    ],
    "HTML": [
        ("a.html", '<input type="password" name="password" value="§">'),
        ("a.html", '<input type="hidden" id="api_key" value="§">'),
        ("a.html", '<div data-api-key="§"></div>'),
        ("a.html", '<meta name="api-key" content="§">'),
        ("a.html", '<input value="§" name="api_token">'),
        ("a.html", "<script>var token = '§'</script>"),
    ],
    "command lines": [
        ("a.sh", "tool --password §"),
        ("a.sh", "tool --password=§"),
        ("a.sh", 'tool --password "§"'),
        ("a.sh", "mysql -uada -p§ app"),
        ("a.sh", "mysql -u ada -p§ app"),
        ("a.sh", 'mysqldump -h db -u root -p"§" app'),
        ("a.sh", "sshpass -p § ssh ada@h"),
        ("a.sh", "redis-cli -a § ping"),
        ("a.sh", "docker login -u ada -p § r.io"),
        ("a.yml", 'command: ["tool", "--password", "§"]'),
        ("a.yml", "command: redis-server --requirepass §"),
        ("redis.conf", "requirepass §"),
        ("redis.conf", "masterauth §"),
        ("a.sh", "az login -u a -p §"),
        ("a.sh", "helm install --set auth.password=§ x"),
        ("a.sh", 'psql "host=db user=app password=§"'),
        ("a.sh", "PGPASSWORD=§ psql"),
        ("a.sh", "openssl rsa -passin pass:§ -in k"),
        ("a.sh", "keytool -storepass § -list"),
        ("a.sh", "wget --user=a --password=§ u"),
        ("a.sh", "mongo -u ada -p § --host h"),
        ("a.sh", "ansible-vault --vault-password §"),
        ("a.sh", "ldapsearch -D cn=a -w § -b dc=x"),
        ("a.sh", "export TOKEN; TOKEN=§"),
        ("a.sh", 'TOKEN="${TOKEN:-§}"'),
        ("a.sh", 'local -r api_key="§"'),
        ("a.sh", "declare -x API_KEY=§"),
        ("a.ps1", '$pw = ConvertTo-SecureString "§" -AsPlainText -Force'),
        ("a.ps1", '-Password "§"'),
    ],
    "query strings": [
        ("a.py", 'u = "https://x.io/?access_token=§"'),
        ("a.md", "https://x.io/?sig=§&se=1"),
        ("a.js", "`/v1?key=1&apikey=§`"),
        ("a.html", '<a href="https://x.io/?user=1&amp;token=§">'),
        ("a.txt", "https://x.io/cb#access_token=§&x=1"),
    ],
    "SQL": [
        ("a.sql", "CREATE USER ada WITH PASSWORD '§';"),
        ("a.sql", "ALTER USER ada IDENTIFIED BY '§';"),
        ("a.sql", "CREATE USER ada IDENTIFIED WITH mysql_native_password BY '§';"),
        ("a.sql", "CREATE LOGIN ada WITH PASSWORD = '§';"),
        ("a.sql", "SET PASSWORD FOR 'ada'@'%' = PASSWORD('§');"),
        ("a.sql", "GRANT ALL ON *.* TO 'ada'@'%' IDENTIFIED BY '§';"),
        ("a.sql", 'CREATE USER ada IDENTIFIED BY "§";'),
        ("a.sql", "UPDATE users SET password = '§' WHERE id=1;"),
        ("a.sql", "CREATE USER MAPPING FOR a SERVER s OPTIONS (user 'a', password '§');"),
        ("a.sql", "SELECT dblink('host=db password=§ user=a')"),
        ("a.sql", "CREATE ROLE a LOGIN ENCRYPTED PASSWORD '§'"),
        ("a.py", "cur.execute(\"ALTER ROLE a PASSWORD '§'\")"),
    ],
    "headers": [
        ("a.http", "Authorization: Bearer §"),
        ("a.http", "X-Api-Key: §"),
        ("a.py", 'headers = {"X-Auth-Token": "§"}'),
        ("a.js", '"Authorization": "Token §"'),
        ("a.js", "xhr.setRequestHeader('X-Api-Key', '§')"),
        ("a.http", "Cookie: session=§"),
        ("a.http", "Authorization: §"),
        ("a.py", 'headers["Authorization"] = "§"'),
        ("a.conf", 'proxy_set_header Authorization "Bearer §";'),
        ("a.http", "Authorization: ApiKey §"),
        ("a.http", "Set-Cookie: sessionid=§; Path=/"),
        ("a.http", "PRIVATE-TOKEN: §"),
    ],
    "curl": [
        ("a.sh", "curl -u ada:§ https://x.io"),
        ("a.sh", 'curl -u "ada:§" https://x.io'),
        ("a.sh", "curl --user ada:§ https://x.io"),
        ("a.sh", "curl -uada:§ https://x.io"),
        ("a.sh", 'curl -H "X-Api-Key: §" https://x.io'),
        ("a.sh", "curl -H 'Authorization: Bearer §' u"),
        ("a.sh", "curl -H 'Authorization: §' u"),
        ("a.sh", "curl --proxy-user ada:§ u"),
        ("a.sh", "curl https://ada:§@x.io"),
        ("a.sh", "http --auth ada:§ x.io"),
        ("a.sh", 'curl -d "client_secret=§&a=b" u'),
        ("a.sh", "curl -F password=§ u"),
        ("a.sh", 'curl -b "session=§" u'),
    ],
    "password files": [
        (".netrc", "machine x.io login ada password §"),
        (".netrc", "machine x.io\n  login ada\n  password §"),
        ("_netrc", "default login a password §"),
        (".authinfo", "machine x.io login ada password §"),
        (".pgpass", "db:5432:app:ada:§"),
        (".pgpass", "*:*:*:ada:§"),
    ],
    "files of clients": [
        (".npmrc", "//registry.npmjs.org/:_authToken=§"),
        (".npmrc", "_auth=§"),
        (".npmrc", "//r.io/:_password=§"),
        (".pypirc", "[pypi]\nusername = ada\npassword = §"),
        (".docker/config.json", '{"auths": {"r.io": {"auth": "§login"}}}'),
        (".dockercfg", '{"r.io": {"auth": "§login", "email": "a@x.io"}}'),
        (".yarnrc.yml", 'npmAuthToken: "§"'),
        ("nuget.config", '<add key="ClearTextPassword" value="§" />'),
        ("settings.xml", "<server><id>x</id><username>a</username><password>§</password></server>"),
        (".gem/credentials", ":rubygems_api_key: §"),
        (".cargo/credentials.toml", '[registry]\ntoken = "§"'),
        (".aws/credentials", "[default]\naws_secret_access_key = §"),
        ("gradle.properties", "signing.password=§"),
        (".my.cnf", "[client]\npassword=§"),
        (".s3cfg", "secret_key = §"),
        (".boto", "gs_secret_access_key = §"),
        ("auth.json", '{"http-basic": {"r.io": {"username": "a", "password": "§"}}}'),
        ("auth.json", '{"github-oauth": {"github.com": "§"}}'),
        ("pip.conf", "index-url = https://ada:§@pypi.x.io/simple"),
        ("kubeconfig", "    token: §"),
        (".git-credentials", "https://ada:§@github.com"),
    ],
    "addresses": [
        ("a.env", "URL=redis://:§@h:6379/0"),
        ("a.yml", "url: amqp://ada:§@h/%2f"),
    ],
    "connection strings": [
        ("a.properties", "spring.datasource.url=jdbc:mysql://h/app?user=ada&password=§"),
        ("a.properties", "url=jdbc:sqlserver://h;user=sa;password=§;encrypt=true"),
        ("a.properties", "url=jdbc:oracle:thin:ada/§@//h:1521/app"),
        ("a.properties", "url=jdbc:oracle:thin:ada/§@h:1521:app"),
        ("a.java", '"jdbc:postgresql://h/app?user=ada&password=§"'),
        ("a.cs", '"Data Source=h;Initial Catalog=a;User ID=sa;Pwd=§;"'),
        ("a.py", '"DRIVER={ODBC Driver 17};SERVER=h;UID=sa;PWD=§"'),
        ("a.sh", "sqlplus ada/§@db"),
        ("a.json", '{"ConnectionStrings": {"D": "Server=h;Database=a;User=sa;Password=§;"}}'),
    ],
    "Kafka": [
        (
            "a.properties",
            'sasl.jaas.config=org.apache.kafka.PlainLoginModule required username="ada" password="§";',
        ),
        ("a.yml", "sasl_plain_password: §"),
    ],
    "clients of databases and brokers": [
        ("a.py", 'InfluxDBClient(url=u, token="§")'),
        ("a.py", 'snowflake.connector.connect(user="a", password="§")'),
        ("a.py", 'PlainTextAuthProvider(username="a", password="§")'),
        ("a.py", 'Elasticsearch(basic_auth=("elastic", "§"))'),
        ("a.py", 'Elasticsearch(http_auth=("elastic", "§"))'),
        ("a.py", 'pika.PlainCredentials("ada", "§")'),
        ("a.py", 'client.username_pw_set("ada", "§")'),
        ("a.py", 'PasswordAuthenticator("ada", "§")'),
        ("a.py", 'smtplib.SMTP(h).login("ada", "§")'),
        ("a.py", 'ldap.simple_bind_s("cn=a", "§")'),
        ("a.js", 'redis.createClient({password: "§"})'),
        ("a.js", 'nodemailer.createTransport({auth: {user: "a", pass: "§"}})'),
        ("a.go", 'redis.Options{Password: "§"}'),
        ("a.py", 'GraphDatabase.driver(u, auth=("neo4j", "§"))'),
        ("a.py", "AccountName=a;AccountKey=§"),
        ("a.env", "C=Endpoint=sb://x/;SharedAccessKeyName=k;SharedAccessKey=§"),
    ],
    "frameworks": [
        ("wp-config.php", "define( 'AUTH_KEY', '§' );"),
        ("wp-config.php", "define('DB_PASSWORD', '§');"),
        ("a.php", "$config['db']['password'] = '§';"),
        ("config/database.yml", "production:\n  password: §"),
        ("config/secrets.yml", "production:\n  secret_key_base: §"),
        ("config/app.php", "'key' => env('APP_KEY', 'base64:§='),"),
        (".env", "APP_KEY=base64:§="),
        ("settings.py", "DATABASES = {'default': {'PASSWORD': '§'}}"),
        ("settings.py", "SECRET_KEY = env('SECRET_KEY', default='§')"),
        ("settings.py", 'SECRET_KEY = config("SECRET_KEY", default="§")'),
        ("settings.py", 'EMAIL_HOST_PASSWORD = os.environ.get("X", "§")'),
        ("app.py", 'app.config["SECRET_KEY"] = "§"'),
        ("app.py", 'app.secret_key = b"§"'),
        ("app.py", 'app.config.update(SECRET_KEY="§")'),
        ("application.yml", "spring:\n  datasource:\n    password: §"),
        ("application.properties", "spring.datasource.password=§"),
        ("application.properties", "spring.datasource.password=${DB_PASSWORD:§}"),
        ("config.exs", 'secret_key_base: "§"'),
        ("parameters.yml", "    database_password: §"),
        ("LocalSettings.php", '$wgDBpassword = "§";'),
        ("config.inc.php", "$cfg['blowfish_secret'] = '§';"),
        ("configuration.php", "public $password = '§';"),
    ],
    "Kubernetes": [
        ("secret.yaml", "apiVersion: v1\nkind: Secret\nstringData:\n  password: §"),
        ("secret.yaml", "apiVersion: v1\nkind: Secret\ndata:\n  password: §base64"),
        ("secret.json", '{"kind": "Secret", "data": {"password": "§base64"}}'),
        ("secret.yaml", "kind: Secret\ntype: kubernetes.io/dockerconfigjson\ndata:\n  .dockerconfigjson: §docker"),
        ("values.yaml", "auth:\n  rootPassword: §"),
        ("pod.yaml", 'env:\n- name: DB_PASSWORD\n  value: "§"'),
        ("list.yaml", "kind: List\nitems:\n- kind: Secret\n  data:\n    password: §base64"),
    ],
    "Terraform": [
        ("main.tf", 'resource "x" "y" {\n  password = "§"\n}'),
        ("variables.tf", 'variable "db_password" {\n  default = "§"\n}'),
        (
            "variables.tf",
            'variable "db_password" {\n  type = string\n  description = "the password"\n  default = "§"\n}',
        ),
        ("terraform.tfvars", 'db_password = "§"'),
        ("terraform.tfstate", '"password": "§",'),
        ("main.tf", '  environment = { DB_PASSWORD = "§" }'),
        ("main.tf", 'provider "x" {\n  token = "§"\n}'),
    ],
    "Ansible": [
        ("play.yml", "- mysql_user: name=a password=§ state=present"),
        ("play.yml", "  vars:\n    ansible_ssh_pass: §"),
        ("hosts.ini", "h1 ansible_host=1.2.3.4 ansible_password=§"),
        ("group_vars/all.yml", "vault_db_password: §"),
        ("play.yml", '  ansible_become_pass: "§"'),
    ],
    "pipelines and images": [
        (".github/workflows/a.yml", "env:\n  API_TOKEN: §"),
        (".github/workflows/a.yml", "      with:\n        password: §"),
        (".github/workflows/a.yml", "- run: deploy --token §"),
        (".gitlab-ci.yml", 'variables:\n  DB_PASSWORD: "§"'),
        (".travis.yml", "env:\n  - API_TOKEN=§"),
        ("azure-pipelines.yml", "- name: dbPassword\n  value: §"),
        ("Jenkinsfile", 'environment { API_TOKEN = "§" }'),
        ("cf.yml", "MasterUserPassword: §"),
        ("cf.json", '"MasterUserPassword": "§"'),
        ("cf.yml", "  DBPassword:\n    Type: String\n    Default: §"),
        ("a.bicep", "param adminPassword string = '§'"),
        ("docker-compose.yml", "environment:\n  - POSTGRES_PASSWORD=§"),
        ("Dockerfile", "ARG TOKEN=§"),
        ("Dockerfile", 'RUN curl -H "Authorization: Bearer §" u'),
        ("Dockerfile", "ENV A=1 DB_PASSWORD=§ B=2"),
        ("Vagrantfile", 'config.ssh.password = "§"'),
    ],
    "over several lines": [
        ("a.py", 'password = (\n    "§"\n)'),
        ("a.py", 'password = \\\n    "§"'),
        ("a.js", 'const apiKey =\n  "§";'),
        ("A.java", 'String password =\n    "§";'),
        ("a.json", '"password":\n  "§"'),
        ("a.go", 'Password:\n"§",'),
        ("a.py", 'f(\n  "password",\n  "§",\n)'),
        ("a.xml", '<password\n value="§"/>'),
        ("a.xml", '<add\n  key="Password"\n  value="§"\n/>'),
    ],
    "languages": [
        ("a.go", 'var password string = "§"'),
        ("a.c", '#define PASSWORD "§"'),
        ("a.ino", 'char pass[] = "§";'),
        ("a.ino", 'const char* password = "§";'),
        ("a.gradle", "storePassword '§'"),
        ("a.gradle", 'password "§"'),
        ("a.rb", 'password "§"'),
        ("a.clj", '(def password "§")'),
        ("a.clj", '{:password "§"}'),
        ("a.pl", 'password => "§"'),
        ("a.lua", 'password = "§"'),
        ("a.r", 'password <- "§"'),
        ("a.fish", "set -gx API_TOKEN §"),
        ("Makefile", "API_TOKEN := §"),
        ("Makefile", "API_TOKEN ?= §"),
        ("a.cmake", 'set(API_TOKEN "§")'),
        ("nginx.conf", 'set $api_token "§";'),
        ("a.bat", "set PASSWORD=§"),
        ("a.bat", 'setx API_TOKEN "§"'),
        ("a.vb", 'Dim password As String = "§"'),
        ("a.swift", 'let password: String = "§"'),
        ("a.m", 'NSString *password = @"§";'),
        ("a.dart", 'const String apiKey = "§";'),
        ("a.scala", 'val password: String = "§"'),
        ("a.rs", 'let password: &\'static str = "§";'),
        ("a.rs", 'let password = String::from("§");'),
        ("a.kt", 'const val API_KEY = "§"'),
        ("a.hs", 'password = "§"'),
        ("a.ml", 'let password = "§"'),
        ("a.ex", '@secret "§"'),
        ("a.cpp", 'std::string password("§");'),
        ("a.php", 'const PASSWORD = "§";'),
        ("a.ts", 'private readonly apiKey: string = "§";'),
        ("a.ts", 'password!: string = "§"'),
        ("a.ts", 'apiKey: "§" as string'),
        ("a.graphql", 'login(password: "§")'),
        ("a.tex", "password: §"),
        ("a.ldif", "userPassword: §"),
        ("a.reg", '"Password"="§"'),
        ("a.http", "password=§&user=a"),
        ("a.log", "login ok user=ada password=§"),
        ("a.md", "| password | § |"),
        ("a.md", "password: **§**"),
        ("a.md", "- Password: `§`"),
        ("a.txt", "Password: §"),
        ("a.ipynb", '"api_key = \\"§\\"\\n"'),
        ("a.py", "os.environ['API_KEY'] = '§'"),
        ("a.py", 'os.environ.setdefault("API_KEY", "§")'),
        ("a.py", 'parser.add_argument("--password", default="§")'),
        ("a.py", '@click.option("--token", default="§")'),
        ("a.py", 'token: str = Field(default="§")'),
        ("a.py", 'if password == "§":'),
        ("a.py", 'hmac.new(b"§", m)'),
        ("a.py", 'jwt.encode(p, "§", algorithm="HS256")'),
        ("a.js", 'jwt.sign(p, "§")'),
        ("a.js", 'jwt.verify(t, "§")'),
        ("a.js", 'crypto.createHmac("sha256", "§")'),
        ("a.js", 'session({ secret: "§" })'),
        ("a.js", "cookieParser('§')"),
        ("a.py", 'Fernet("§=")'),
        ("a.py", 'Fernet(b"§=")'),
    ],
    "what a program reads": [
        ("a.sh", "echo § | docker login -u ada --password-stdin r.io"),
        ("a.sh", 'echo "§" | docker login --username ada --password-stdin'),
        ("a.sh", "printf '%s' '§' | docker login -u ada --password-stdin"),
        ("a.sh", "docker login -u ada --password-stdin <<< '§'"),
        ("a.sh", "docker login -u ada --password-stdin <<EOF\n§\nEOF"),
        ("a.sh", "echo 'ada:§' | chpasswd"),
        ("a.sh", "echo ada:§ | sudo chpasswd"),
        ("Dockerfile", "RUN echo 'root:§' | chpasswd"),
        ("a.sh", "chpasswd <<< 'ada:§'"),
        ("a.sh", "chpasswd <<EOF\nada:§\nEOF"),
        ("a.sh", "echo § | sudo -S apt-get update"),
        ("a.sh", "echo '§' | passwd ada --stdin"),
        ("a.sh", "passwd --stdin ada <<< §"),
        ("a.sh", "echo § | gh auth login --with-token"),
    ],
    "rows and columns": [
        ("a.sql", "INSERT INTO users (name, password) VALUES ('ada', '§');"),
        ("a.sql", "INSERT INTO `users` (`id`, `password`) VALUES\n(1, 'null'),\n(2, '§');"),
        ("a.sql", "INSERT INTO u (id, made, api_key) VALUES (1, now(), N'it''s'), (2, max(1, 2), '§')"),
        ("a.py", "db.execute(\"INSERT INTO users (name, password) VALUES ('ada', '§')\")"),
        ("a.csv", "name,password\nada,§"),
        ("a.csv", "id;login;password\n1;ada;§"),
        ("a.tsv", "name\ttoken\nada\t§"),
        ("a.csv", '"name","password"\n"ada","§"'),
        ("a.csv", 'name,note,password,x\nada,"a, b",§,1'),
        ("a.md", "| user | password |\n|---|---|\n| ada | § |"),
        ("a.md", "| user | password | role |\n| --- | :-: | --- |\n| bo | none | x |\n| ada | `§` | x |"),
        ("a.txt", "bo@x.io:hunter\nada@x.io:§\n"),
    ],
    "sentences and steps": [
        ("a.md", "Password is §"),
        ("a.md", "The password is `§`."),
        ("a.md", "The API key is: **§**"),
        ("a.py", "# the admin password is '§'"),
        ("a.py", "x = 1\n# " + "a long comment, " * 30 + "and the admin password is '§'"),
        ("a.rb", 'fill_in "Password", with: "§"'),
        ("a.rb", 'fill_in :password, with: "§"'),
        ("a.js", "cy.get('#password').type('§')"),
        ("a.py", "d.find_element_by_id('password').send_keys('§')"),
        ("a.feature", 'When I fill in "password" with "§"'),
    ],
    "Windows": [
        ("a.ps1", 'ConvertTo-SecureString -String "§" -AsPlainText'),
        ("a.ps1", "ConvertTo-SecureString -AsPlainText '§' -Force"),
        ("a.bat", "net user ada § /add"),
        ("a.bat", "cmdkey /add:h /user:ada /pass:§"),
    ],
    "more calls": [
        ("a.py", 'authenticate("ada", "§")'),
        ("a.py", 'pymysql.connect("db", "ada", "§", "app")'),
        ("a.py", 'ssh.connect(h, 22, "ada", "§")'),
        ("a.py", 'User.objects.create_user("ada", "ada@x.io", "§")'),
        ("A.java", 'new UsernamePasswordToken("ada", "§")'),
    ],
    "more languages": [
        ("a.erl", '{password, <<"§">>}'),
        ("a.el", '(setq api-token "§")'),
        ("a.xml", '<entry name="password">\n <value>§</value></entry>'),
        ("a.xml", "<name>javax.jdo.ConnectionPassword</name>\n  <value>§</value>"),
        ("a.xml", "<member><name>password</name><value><string>§</string></value></member>"),
        ("jaas.conf", 'PlainLoginModule required\n  username="x"\n  user_ada="§";'),
        ("settings-security.xml", "<settingsSecurity><master>{§=}</master></settingsSecurity>"),
    ],
}

ADDRESSES = (
    "postgres postgresql postgresql+asyncpg cockroachdb mysql mysql+pymysql mariadb mssql+pyodbc sqlserver oracle",
    "oracle+cx_oracle db2 vertica trino presto snowflake mongodb mongodb+srv redis rediss amqp amqps nats nats+tls",
    "mqtt mqtts kafka stomp pulsar ldap ldaps smtp smtps imap imaps ftp sftp ssh http https git+https elasticsearch",
    "clickhouse clickhouse+native cassandra couchbase couchbases couchdb influxdb neo4j neo4j+s bolt memcached etcd",
    "socks5 rtsp ws",
)
SCHEMES = [scheme for line in ADDRESSES for scheme in line.split()]
ROWS = [
    pytest.param(path, template, id=f"{kind}: {' '.join(template.split())[:60]}")
    for kind, rows in SHAPES.items()
    for path, template in rows
]
# What stands where a credential would, and is none. A file that exists to hold passwords holds guessable ones too.
REFERENCES = ["${DB_PASSWORD}", "$DB_PASSWORD", "%(password)s", "<your-password>", "changeme", "xxxxxxxxxxxx", "null"]
LOOK_ALIKES = [*REFERENCES, "YOUR_PASSWORD_HERE", "{{ db_password }}", "/run/secrets/db_password", "os.environ"]
STORED = "secret-stored-password"


def encoded(text: str) -> str:
    """A text in base64."""
    return base64.b64encode(text.encode()).decode()


def filled(template: str, value: str) -> tuple[str, str]:
    """A template with a value in its place, and what is to be found of it."""
    forms = {
        "§base64": encoded(value),
        "§login": encoded(f"ada:{value}"),
        "§docker": encoded(f'{{"auths":{{"r.io":{{"username":"ada","password":"{value}"}}}}}}'),
        "base64:§=": f"base64:{value}=",
        "§=": f"{value}=",
        "§": value,
    }
    mark, shown = next((mark, shown) for mark, shown in forms.items() if mark in template)
    return template.replace(mark, shown), shown


def found(path: str, text: str) -> list[tuple[int, int, str]]:
    """Line, column and value of each hit."""
    blob = Blob(Provenance(path), text.encode())
    spans = [hit.span for _, hit in detect_secrets(blob, ALL)]
    places = [(blob.lines.position(span.start), span) for span in spans]
    return [(place.line, place.column, text[span.start : span.end]) for place, span in places]


def told(path: str, text: str) -> list[str]:
    """The rule of each hit."""
    return [rule.id for rule, _ in detect_secrets(Blob(Provenance(path), text.encode()), ALL)]


@pytest.mark.parametrize(("path", "template"), ROWS)
def test_a_credential_is_found_at_its_line_and_column(path: str, template: str):
    """The value, the whole value and nothing but the value, with what is before it counted in lines and characters."""
    text, shown = filled(template, VALUE)
    text = f"# é\n{text}\n"
    before = text[: text.index(shown)]
    place = (before.count("\n") + 1, len(before) - before.rfind("\n"), shown)
    assert place in found(path, text)


@pytest.mark.parametrize(("path", "template"), ROWS)
def test_a_credential_is_masked_wherever_it_is_written(path: str, template: str):
    """What a code frame may not show lies within what is masked."""
    text, shown = filled(template, VALUE)
    start = text.index(shown)
    spans = sensitive_spans(Blob(Provenance(path), text.encode()))
    assert any(first <= start and start + len(shown) <= last for first, last in spans)


@pytest.mark.parametrize(("path", "template"), ROWS)
def test_a_look_alike_is_silent(path: str, template: str):
    """A variable, a placeholder or a path in the value's place is no finding; a word no more than a guessable one."""
    store = any(
        path.endswith(name) for name in (".netrc", "_netrc", ".authinfo", "secret.yaml", "secret.json", "list.yaml")
    )
    for value in REFERENCES if store or STORED in told(path, filled(template, "hunter22")[0]) else LOOK_ALIKES:
        text, _ = filled(template, value)
        assert found(path, f"# é\n{text}\n") == [], value
    if not store and STORED not in told(path, filled(template, "hunter22")[0]):
        assert set(told(path, filled(template, "password")[0])) <= {"secret-guessable"}


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_password_in_an_address_of_any_kind(scheme: str):
    """Databases, brokers, directories, mail and proxies: the password between the colon and the host."""
    text = f"URL={scheme}://ada:{VALUE}@host.example.net:1234/app\n"
    assert found(".env", text) == [(1, len(f"URL={scheme}://ada:") + 1, VALUE)]
    for value in ("${PASSWORD}", "<password>", "password", "%s", "{password}"):
        assert found("settings.py", f'URL = "{scheme}://user:{value}@host.example.net:1234/app"\n') == []


@pytest.mark.parametrize(
    ("path", "template"),
    [
        pytest.param("a.py", 'conn.execute("SELECT token, §")', id="no-pair"),
        pytest.param("a.sh", "mkdir -p §", id="another-programs-letter"),
        pytest.param("a.sh", "mysql -u ada -p §", id="the-database-after-a-blank"),
        pytest.param("a.sh", "docker run --user 1000:1000 x", id="user-and-group"),
        pytest.param("a.md", "This will reset password § for you", id="sentence"),
        pytest.param("a.md", "rows are identified by §", id="identified-by-what"),
        pytest.param("a.md", "| token | § |", id="table-of-types"),
        pytest.param("a.yml", "password:\n  type: §", id="schema"),
        pytest.param("a.yml", "tokens:\n  name: §", id="mapping-below"),
        pytest.param("a.yml", "password:\nuser: §", id="empty-value"),
        pytest.param("a.tf", 'variable "db_password" {\n  type = string\n}\nx = "§"', id="variable-without-default"),
        pytest.param("a.html", '<input type="hidden" name="csrf_token" value="§">', id="token-of-a-page"),
        pytest.param("a.js", 'this.login("default", §)', id="call-with-a-variable"),
        pytest.param("a.py", 'jwt.encode(payload, §, algorithm="HS256")', id="signed-with-a-variable"),
        pytest.param("a.js", "throw new Error(\"unexpected token '§'\")", id="error-message"),
        pytest.param("a.go", "var password string = §", id="typed-without-a-string"),
        pytest.param("a.r", "password <- §", id="arrow-without-a-string"),
        pytest.param("a.sh", "echo § | docker build -", id="another-program-reads"),
        pytest.param("a.sh", "cat § | docker login --password-stdin", id="file-of-a-password"),
        pytest.param("a.sh", "echo 'ada:§' | chpasswd -e", id="hash-of-a-password"),
        pytest.param("a.sh", "echo § done; sudo -S true", id="no-pipe"),
        pytest.param("a.sql", "INSERT INTO tokens (id, expires) VALUES (1, '§')", id="other-columns"),
        pytest.param("a.sql", "INSERT INTO users (password, name) VALUES (?, '§')", id="the-column-beside"),
        pytest.param("a.csv", "name,password\n§,\n", id="the-field-beside"),
        pytest.param("a.md", "| password | type |\n|---|---|\n| none | § |", id="the-cell-beside"),
        pytest.param("a.txt", "git@example.org:§", id="one-address-and-a-path"),
        pytest.param("a.md", "The password is § by default, too", id="word-of-a-sentence"),
        pytest.param("a.py", 'raise ValueError("token is §")', id="message-in-code"),
        pytest.param("a.feature", 'When I fill in "name" with "§"', id="another-field"),
        pytest.param("a.py", 'nx.connect("a", "b", "§")', id="connected-words"),
        pytest.param("a.conf", 'user_agent="§"', id="user-of-no-module"),
        pytest.param("a.ts", "type T = token | §", id="union-of-types"),
    ],
)
def test_what_only_looks_like_an_assignment(path: str, template: str):
    """A word in the same place, where no credential is written: sentences, types, other programs' flags."""
    assert found(path, template.replace("§", "identifier") + "\n") == []


@pytest.mark.parametrize(
    ("path", "text"),
    [
        pytest.param("a.xml", "<CreditCard>2578546969853547</CreditCard>", id="credit"),
        pytest.param("a.yml", "JWT_EXPIRATION: 604800000", id="duration"),
        pytest.param(
            "a.sh", f"apt-key adv --recv-keys {scramble('recv', 40, '0123456789ABCDEF')}", id="key-to-receive"
        ),
        pytest.param("a.yml", 'run: echo "D=`date -u +%Y-%m-%dT%H:%M:%SZ`"', id="format-of-a-date"),
        pytest.param("a.yml", "password: <%= password %>", id="template-with-blanks"),
        pytest.param("a.php", "pg_connect(\"host=db password={$_APP[ 'db_password' ]}\")", id="interpolated-element"),
        pytest.param(
            "a.php", '$pass = ((isset($GLOBALS["x"]) && is_object($GLOBALS["x"])) ? f($pass) : "");', id="bracketed"
        ),
        pytest.param(
            "a.js", f"var publicKeyHex = '{scramble('pub', 66, '0123456789abcdef')}';", id="public-key-in-hex"
        ),
        pytest.param(
            "a.js", f"const token = '0x{scramble('eth', 40, '0123456789abcdef')}';", id="account-of-a-blockchain"
        ),
        pytest.param("a.json", f'{{"next_token": "{scramble("page", 20)}"}}', id="place-in-a-list"),
        pytest.param("a.rb", "get '/groups', :headers => credentials('jsmith')", id="whose-credentials"),
        pytest.param("a.md", "[x](http://x.io/apidoc?api=jdk_7u4)", id="name-of-an-interface"),
        pytest.param("mode.js", 'rules = [{ token: "keyword", regex: "[a-z]+" }]', id="token-of-a-grammar"),
        pytest.param("a.yml", "key_id: 0b0a7b1c-9d51-4ba1-8f0e-2f6c1d3e4a5b", id="identifier"),
        pytest.param(
            "Web.config",
            f'<assemblyIdentity name="a" publicKeyToken="{scramble("strong", 16, "0123456789abcdef")}" />',
            id="strong-name-of-an-assembly",
        ),
        pytest.param("a.toml", 'author_uid = "ljhvkwqz"', id="author"),
        pytest.param("a.less", '@fa-var-user-secret: "\\f21b";', id="icon-of-a-font"),
        pytest.param("a.java", 'String s = "Username \'" + name + "\' has password: %.2s%s";', id="format"),
        pytest.param("a.md", "| cd, pwd | [Exercise](exercises/navigation/README.md) |", id="link"),
        pytest.param("a.c", 'check(n, 1, "pwd: length:0-64");', id="length-in-a-message"),
        pytest.param("a.php", "'password' => ['required', 'confirmed', Password::min(8)],", id="demands-on-a-field"),
        pytest.param("a.py", 'secret = f"{pvc}-backup-repository"', id="interpolated-at-its-start"),
        pytest.param("a.yml", "- key: htpasswd", id="entry-of-a-secret"),
        pytest.param("a.rst", "Pass :obj:`True`, if it should be sent", id="role-in-a-sentence"),
        pytest.param("a.php", "$password = $input['password'];", id="element-of-a-variable"),
        pytest.param("a.env", "API_KEY=SKxxx", id="crossed-out-after-its-prefix"),
        pytest.param("a.py", 'if user.password == "//IMPLICIT//":', id="sentinel"),
        pytest.param("Dockerfile", f"ARG KEY_SHA256={scramble('sum', 64, '0123456789abcdef')}", id="checksum"),
        pytest.param("a.html", '<input name="authenticity_token" value="Lz6ILqUEs2CGdDa-oz38TqcqQORavGnb">', id="csrf"),
        pytest.param(
            "a.svg", f'<image href="data:image/png;base64,{scramble("e", 300)}EAAC{scramble("f", 300)}"/>', id="image"
        ),
    ],
)
def test_false_alarms_of_real_repositories(path: str, text: str):
    """What was a false alarm in somebody's repository, each by its cause."""
    assert found(path, text + "\n") == []


def test_a_long_table_is_said_to_be_longer() -> None:
    """Of more credentials than are listed in one file the others are a gap, in the columns of a table too."""
    rows = "".join(f"u{number},{scramble(f'row {number}', 14)}\n" for number in range(700))
    gaps: list[Gap] = []
    blob = Blob(Provenance("dump.csv"), f"name,password\n{rows}".encode())
    found = list(detect_secrets(blob, ALL, gaps.append))
    assert len(found) == 500
    assert "more than 500 credentials" in gaps[0].reason
