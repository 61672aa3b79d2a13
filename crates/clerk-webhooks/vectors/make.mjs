// Writes signatures.json and secrets.json: `node make.mjs`, which needs Node and nothing else.
// Signatures are made by Node's crypto, so that the library is held against another implementation than its own.
import { createHmac, createPrivateKey, createPublicKey, sign } from "node:crypto";
import { writeFileSync } from "node:fs";

const KEY = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const SECRET = `whsec_${KEY}`;
const OTHER_SECRET = "whsec_b3RoZXIgb3RoZXIgb3RoZXIgb3RoZXI=";
const SENT = 1700000000;
const BODY = '{"type":"user.created","object":"event","data":{"id":"user_1"}}';

const base64 = (data) => Buffer.from(data).toString("base64");
const content = (id, timestamp, body) =>
  Buffer.concat([Buffer.from(`${id}.${timestamp}.`), Buffer.from(body)]);

function mac(secret, { id = "msg_1", timestamp = SENT, body = BODY } = {}) {
  const key = Buffer.from(secret.trim().replace(/^whsec_/, ""), "base64");
  return createHmac("sha256", key).update(content(id, timestamp, body)).digest("base64");
}
const v1 = (secret, message) => `v1,${mac(secret, message)}`;

/** An Ed25519 key pair of 32 equal bytes, as the `whsk_` and `whpk_` texts that Standard Webhooks uses. */
function pair(seed) {
  const pkcs8 = Buffer.concat([Buffer.from("302e020100300506032b657004220420", "hex"), Buffer.alloc(32, seed)]);
  const key = createPrivateKey({ key: pkcs8, format: "der", type: "pkcs8" });
  const publicBytes = createPublicKey(key).export({ format: "der", type: "spki" }).subarray(-32);
  return {
    whsk: `whsk_${base64(Buffer.concat([Buffer.alloc(32, seed), publicBytes]))}`,
    whpk: `whpk_${base64(publicBytes)}`,
    sign: ({ id = "msg_1", timestamp = SENT, body = BODY } = {}) =>
      `v1a,${sign(null, content(id, timestamp, body), key).toString("base64")}`,
  };
}

const family = (prefix) => (id, timestamp, signature) => [
  [`${prefix}-id`, String(id)],
  [`${prefix}-timestamp`, String(timestamp)],
  [`${prefix}-signature`, signature],
];
const svix = family("svix");
const webhook = family("webhook");

const vectors = [];
function vector(name, { secrets = [SECRET], headers, body = BODY, now = SENT, tolerance = 300 }, expect) {
  vectors.push({ name, secrets, headers, body: base64(body), now, tolerance_seconds: tolerance, expect });
}
const verified = (id = "msg_1", timestamp = SENT, secret_index = 0) => ({ verified: { id, timestamp, secret_index } });
const refused = (code) => ({ refused: code });
const good = v1(SECRET);
const goodMac = mac(SECRET);
const [one, two] = [pair(7), pair(8)];

// Messages that are good.
vector("svix-family", { headers: svix("msg_1", SENT, good) }, verified());
vector("webhook-family", { headers: webhook("msg_1", SENT, good) }, verified());
vector("published-example",
  { headers: svix("msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="),
    body: '{"test": 2432232314}', now: 1614265330 },
  verified("msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330));
for (const [name, body] of [
  ["empty", ""], ["empty-object", "{}"], ["not-json", "hello"], ["not-utf8", Buffer.from([0xff, 0xfe, 0x00, 0x80])],
  ["escaped-html", '{"html":"\\u003cb\\u003e R\\u0026D"}'], ["unicode", '{"name":"Zoë 李 🛎"}'],
  ["trailing-newline", `${BODY}\n`], ["byte-order-mark", `\ufeff${BODY}`], ["spaces", ' { "a" : 1 } '],
]) {
  vector(`body-${name}`, { headers: svix("msg_1", SENT, v1(SECRET, { body })), body }, verified());
}
vector("body-re-serialised",
  { headers: svix("msg_1", SENT, v1(SECRET, { body: '{"html":"\\u003cb\\u003e"}' })), body: '{"html":"<b>"}' },
  refused("no_match"));
vector("header-values-trimmed", { headers: svix(" msg_1\t", `  ${SENT} `, `\t${good} `) }, verified());
vector("id-with-dots", { headers: svix("msg.1.2", SENT, v1(SECRET, { id: "msg.1.2" })) }, verified("msg.1.2"));
vector("timestamp-with-leading-zero",
  { headers: svix("msg_1", `0${SENT}`, v1(SECRET, { timestamp: `0${SENT}` })) }, verified());

// The list of signatures.
vector("good-after-wrong", { headers: svix("msg_1", SENT, `v1,AAAA ${good}`) }, verified());
vector("good-before-wrong", { headers: svix("msg_1", SENT, `${good} v1,AAAA`) }, verified());
vector("unknown-versions-skipped", { headers: svix("msg_1", SENT, `v0,x v2,${goodMac} ${good}`) }, verified());
vector("malformed-tokens-skipped", { headers: svix("msg_1", SENT, `nocomma , v1 v1, v1,%% ${good}`) }, verified());
vector("double-spaces", { headers: svix("msg_1", SENT, `v1,AAAA   ${good}`) }, verified());
vector("non-ascii-token-skipped", { headers: svix("msg_1", SENT, `v1,ö ${good}`) }, verified());
vector("two-signature-lines-first",
  { headers: [...svix("msg_1", SENT, good), ["svix-signature", "v1,AAAA"]] }, verified());
vector("two-signature-lines-last",
  { headers: [...svix("msg_1", SENT, "v1,AAAA"), ["svix-signature", good]] }, verified());
vector("no-known-version", { headers: svix("msg_1", SENT, `v2,${goodMac} nocomma`) }, refused("malformed_signature"));
vector("bare-mac", { headers: svix("msg_1", SENT, goodMac) }, refused("malformed_signature"));
vector("version-in-upper-case", { headers: svix("msg_1", SENT, `V1,${goodMac}`) }, refused("malformed_signature"));
for (const [name, token] of [
  ["empty", "v1,"], ["junk-after-comma", `${good},junk`], ["comma-after", `${good},`], ["unpadded", good.slice(0, -1)],
  ["overpadded", `${good}=`], ["hex", `v1,${Buffer.from(goodMac, "base64").toString("hex")}`],
  ["other-case", good.toLowerCase()], ["as-v1a", `v1a,${goodMac}`],
  ["loose-bits", `v1,${goodMac.slice(0, -2)}${String.fromCharCode(goodMac.charCodeAt(goodMac.length - 2) + 1)}=`],
]) {
  vector(`signature-${name}`, { headers: svix("msg_1", SENT, token) }, refused("no_match"));
}

// What is signed.
vector("another-secret", { secrets: [OTHER_SECRET], headers: svix("msg_1", SENT, good) }, refused("no_match"));
vector("another-body", { headers: svix("msg_1", SENT, good), body: `${BODY} ` }, refused("no_match"));
vector("another-id", { headers: svix("msg_2", SENT, good) }, refused("no_match"));
vector("another-timestamp", { headers: svix("msg_1", SENT + 1, good) }, refused("no_match"));
vector("another-text-of-timestamp", { headers: svix("msg_1", `0${SENT}`, good) }, refused("no_match"));

// Secrets.
vector("second-secret", { secrets: [OTHER_SECRET, SECRET], headers: svix("msg_1", SENT, good) }, verified("msg_1", SENT, 1));
vector("signed-with-both",
  { secrets: [OTHER_SECRET], headers: svix("msg_1", SENT, `${good} ${v1(OTHER_SECRET)}`) }, verified());
vector("secret-without-prefix", { secrets: [KEY], headers: svix("msg_1", SENT, good) }, verified());

// Header families and lines.
vector("families-mixed",
  { headers: [...svix("msg_1", SENT, good).slice(0, 2), ["webhook-signature", good]] }, refused("missing_header"));
vector("svix-preferred",
  { headers: [...webhook("msg_1", SENT, good), ...svix("msg_1", SENT, "v1,AAAA")] }, refused("no_match"));
vector("whole-family-beside-a-part",
  { headers: [["svix-id", "msg_2"], ...webhook("msg_1", SENT, good)] }, verified());
vector("whole-family-beside-a-blank",
  { headers: [...svix("msg_2", SENT, " "), ...webhook("msg_1", SENT, good)] }, verified());
vector("no-headers", { headers: [] }, refused("missing_header"));
for (const missing of [0, 1, 2]) {
  const headers = svix("msg_1", SENT, good);
  const [[name]] = headers.splice(missing, 1);
  vector(`without-${name}`, { headers }, refused("missing_header"));
}
vector("blank-id", { headers: svix(" ", SENT, good) }, refused("missing_header"));
vector("two-ids", { headers: [["svix-id", "msg_1"], ...svix("msg_1", SENT, good)] }, refused("repeated_header"));
vector("two-timestamps",
  { headers: [...svix("msg_1", SENT, good), ["svix-timestamp", String(SENT)]] }, refused("repeated_header"));
vector("id-not-ascii", { headers: svix("msg_ö", SENT, v1(SECRET, { id: "msg_ö" })) }, refused("malformed_header"));

// Timestamps: each is signed as it stands, so only its form is wrong.
for (const timestamp of [
  "1700000000.0", "1700000000.5", "1.7e9", "1_700_000_000", "+1700000000", "-1700000000", "0x6553f100", "1700000000s",
  "17000 00000", "NaN", "18446744073709551616",
]) {
  vector(`timestamp ${timestamp}`, { headers: svix("msg_1", timestamp, v1(SECRET, { timestamp })) },
    refused("malformed_timestamp"));
}
vector("timestamp in other digits",
  { headers: svix("msg_1", "١٧٠٠٠٠٠٠٠٠", v1(SECRET, { timestamp: "١٧٠٠٠٠٠٠٠٠" })) }, refused("malformed_header"));
vector("timestamp in milliseconds",
  { headers: svix("msg_1", SENT * 1000, v1(SECRET, { timestamp: SENT * 1000 })) }, refused("too_new"));
for (const [offset, expect] of [[300, verified()], [301, refused("too_old")], [-300, verified()], [-301, refused("too_new")]]) {
  vector(`now ${offset}`, { headers: svix("msg_1", SENT, good), now: SENT + offset }, expect);
}
vector("narrow-tolerance", { headers: svix("msg_1", SENT, good), now: SENT + 11, tolerance: 10 }, refused("too_old"));
vector("forged-and-old", { headers: svix("msg_1", SENT, "v1,AAAA"), now: SENT + 9000 }, refused("no_match"));

// Ed25519.
vector("v1a", { secrets: [one.whpk], headers: svix("msg_1", SENT, one.sign()) }, verified());
vector("v1a-private-key-verifies", { secrets: [one.whsk], headers: svix("msg_1", SENT, one.sign()) }, verified());
vector("v1a-beside-v1", { secrets: [one.whpk], headers: webhook("msg_1", SENT, `${good} ${one.sign()}`) }, verified());
vector("v1a-and-v1-secrets", { secrets: [SECRET, one.whpk], headers: svix("msg_1", SENT, one.sign()) }, verified("msg_1", SENT, 1));
vector("v1a-another-key", { secrets: [two.whpk], headers: svix("msg_1", SENT, one.sign()) }, refused("no_match"));
vector("v1a-another-body", { secrets: [one.whpk], headers: svix("msg_1", SENT, one.sign({ body: "{}" })) }, refused("no_match"));
vector("v1a-as-v1", { secrets: [one.whpk], headers: svix("msg_1", SENT, one.sign().replace("v1a", "v1")) }, refused("no_match"));
vector("v1a-junk", { secrets: [one.whpk], headers: svix("msg_1", SENT, "v1a,AAAA v1a,%% v1a,") }, refused("no_match"));

const plain = (text, key) => ({ text, hmac_key: base64(Buffer.from(key, "base64")) });
const wrong = (text, error) => ({ text, error });
const secrets = [
  plain(SECRET, KEY), plain(KEY, KEY), plain(` ${SECRET}\r\n`, KEY),
  plain(OTHER_SECRET, OTHER_SECRET.slice(6)), plain(OTHER_SECRET.slice(0, -1), OTHER_SECRET.slice(6)),
  { text: one.whpk, ed25519_public_key: one.whpk.slice(5) }, { text: one.whsk, ed25519_public_key: one.whpk.slice(5) },
  { text: `whsk_${base64(Buffer.alloc(32, 7))}`, ed25519_public_key: one.whpk.slice(5) },
  wrong("", "empty"), wrong(" \n", "empty"), wrong("whsec_", "empty"),
  wrong("sk_test_abcdefgh", "api_key"), wrong("sk_live_abcdefgh", "api_key"), wrong("pk_test_abcdefgh", "api_key"),
  wrong(`"${SECRET}"`, "quoted"), wrong(`'${SECRET}'`, "quoted"), wrong(`${SECRET}"`, "quoted"),
  wrong("whsec_-_-_", "url_safe"), wrong("whsec_...", "not_base64"), wrong(SECRET.slice(0, -3), "not_base64"),
  wrong(`whpk_${base64(Buffer.alloc(31))}`, "key_length"), wrong("whsk_AAAA", "key_length"),
  wrong(`whsk_${base64(Buffer.concat([Buffer.alloc(32, 7), Buffer.alloc(32, 9)]))}`, "not_a_key"),
  wrong(`whpk_${base64(Buffer.from([1, ...Buffer.alloc(31)]))}`, "not_a_key"),
];

const write = (file, key, list) => {
  const lines = list.map((item) => `    ${JSON.stringify(item)}`).join(",\n");
  writeFileSync(new URL(file, import.meta.url), `{\n  "format": 1,\n  "${key}": [\n${lines}\n  ]\n}\n`);
};
write("signatures.json", "vectors", vectors);
write("secrets.json", "secrets", secrets);
