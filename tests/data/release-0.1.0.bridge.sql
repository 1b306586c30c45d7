BEGIN;
CREATE TABLE chats (
        number INTEGER PRIMARY KEY,
        session_id TEXT NOT NULL UNIQUE,
        business_id TEXT NOT NULL,
        user_id TEXT NOT NULL,
        waiting_since INTEGER,
        wish_at INTEGER,
        body BLOB NOT NULL
    , missed_at INTEGER, asked_at INTEGER, active_at INTEGER, is_closed INTEGER, watched INTEGER);
CREATE INDEX chats_of_customer ON chats (business_id, user_id, number);
CREATE INDEX open_chats ON chats (business_id, waiting_since)
        WHERE waiting_since IS NOT NULL;
CREATE INDEX wishing_chats ON chats (wish_at) WHERE wish_at IS NOT NULL;
CREATE TABLE words (
        number INTEGER PRIMARY KEY,
        place TEXT NOT NULL,
        message_id TEXT NOT NULL,
        body BLOB NOT NULL,
        UNIQUE (place, message_id)
    );
CREATE INDEX words_of_place ON words (place, number);
CREATE TABLE answers (
        key TEXT NOT NULL UNIQUE,
        at INTEGER NOT NULL,
        body BLOB NOT NULL
    );
CREATE INDEX answers_by_age ON answers (at);
CREATE INDEX missed_chats ON chats (business_id, missed_at)
        WHERE missed_at IS NOT NULL;
CREATE TABLE waits (
        number INTEGER PRIMARY KEY,
        business_id TEXT NOT NULL,
        wait_ms INTEGER NOT NULL
    );
CREATE INDEX waits_of_business ON waits (business_id, number);
CREATE INDEX asked_chats ON chats (business_id, asked_at)
        WHERE asked_at IS NOT NULL;
CREATE INDEX active_chats ON chats (business_id, active_at);
CREATE INDEX active_chats_by_state ON chats (business_id, is_closed, active_at);
CREATE INDEX active_chats_of_user ON chats (business_id, user_id, active_at);
CREATE INDEX watched_chats ON chats (watched) WHERE watched IS NOT NULL;
CREATE VIRTUAL TABLE terms USING fts5
        (text, content = '', columnsize = 0, detail = none, tokenize = 'ascii');
DELETE FROM terms_data;
DELETE FROM terms_idx;
DELETE FROM terms_config;
INSERT INTO chats VALUES (1, 's1', 'bistro-1', 'ana', 1795168800000, 1795168800000, CAST('{"session_id":"s1","customer":["bistro-1","ana"],"since":"2026-11-20T10:00:00Z","location_id":"l1","status":"live","coordinator_id":"Maria Pop","is_at_desk":false,"last":{"author":"user","text":"Aș vrea o masă lângă fereastră.","at":"2026-11-20T10:00:00Z","coordinator_id":null},"unanswered":1,"unanswered_since":"2026-11-20T10:00:00Z","waiting_since":null,"transfer_id":"t1","reason":"user_request","context":{"summary":"Vrea o masă."},"summary":"Gata.","told_at":"2026-11-20T10:00:00Z","wishes":[{"wish_id":"w1","status":"ai","at":"2026-11-20T10:00:00Z","coordinator_id":"Maria Pop","summary":null,"answer":null,"reason":null,"forwarded_by":null}],"missed":null,"attended_until":"2026-11-20T10:00:00Z","confirmation":{"confirm_id":"s1-3","by":"coordinator","state":"proposed","what":"O masă","at":"2026-11-20T10:00:00Z","expires_at":"2026-11-20T11:00:00Z","result":"","coordinator_id":null},"rating":null}' AS BLOB), NULL, 1795168800000, 1795168800000, 0, NULL);
INSERT INTO chats VALUES (2, 's2', 'bistro-1', 'dan@example.com', NULL, NULL, CAST('{"session_id":"s2","customer":["bistro-1","dan@example.com"],"since":"2026-11-20T10:00:00Z","location_id":null,"status":"ai","coordinator_id":null,"is_at_desk":false,"last":null,"unanswered":0,"unanswered_since":null,"waiting_since":null,"transfer_id":null,"reason":null,"context":null,"summary":null,"told_at":null,"wishes":[],"missed":{"text":"Sunați-mă.","reason":"user_request","context":{},"at":"2026-11-20T10:00:00Z"},"attended_until":null,"confirmation":null,"rating":{"stars":{"rating":4,"comment":"Bine"},"at":"2026-11-20T10:00:00Z"}}' AS BLOB), 1795168800000, NULL, 1795168800000, 0, NULL);
INSERT INTO words VALUES (1, 'chat:bistro-1:ana', 'm1', CAST('{"message_id":"m1","author":"user","text":"Aș vrea o masă lângă fereastră.","at":"2026-11-20T10:00:00Z","session_id":"s1","coordinator_id":null,"origin":null}' AS BLOB));
INSERT INTO words VALUES (2, 'chat:bistro-1:ana', 'm2', CAST('{"message_id":"m2","author":"coordinator","text":"Sigur.","at":"2026-11-20T10:00:00Z","session_id":"s1","coordinator_id":"Maria Pop","origin":"page-1"}' AS BLOB));
INSERT INTO words VALUES (3, 'notes:s1', 'Ion  n1', CAST('{"noteId":"n1","sessionId":"s1","coordinatorId":"Ion","text":"Client vechi.","at":"2026-11-20T10:00:00Z","event":null}' AS BLOB));
INSERT INTO words VALUES (4, 'notes:s1', 'Ion forwarded n2', CAST('{"noteId":"n2","sessionId":"s1","coordinatorId":"Ion","text":"","at":"2026-11-20T10:00:00Z","event":{"type":"forwarded","to":"Maria Pop"}}' AS BLOB));
INSERT INTO answers VALUES ('k1', 1795168800000, CAST('{"status":"ok"}' AS BLOB));
INSERT INTO waits VALUES (1, 'bistro-1', 12500);
INSERT INTO terms_data VALUES (1, x'050d');
INSERT INTO terms_data VALUES (10, x'000000000105050005010101020101030101040101050101');
INSERT INTO terms_data VALUES (137438953473, x'0000001a1030646630356661306130386563616e61908080800004');
INSERT INTO terms_data VALUES (274877906945, x'000000530f30646630356661306130386563617390808080010d0966657265617374726190808080010d056c616e676190808080010d046d61736190808080010d016f90808080010d047672656190808080010415100c0b08');
INSERT INTO terms_data VALUES (412316860417, x'0000001c12306466303566613061303865637369677572908080800204');
INSERT INTO terms_data VALUES (549755813889, x'000000291330646630356661306130386563636c69656e7490808080030d05766563686990808080030419');
INSERT INTO terms_data VALUES (687194767361, x'000000321030646630356661306130386563636f6da0808080000d0364616ea0808080000d076578616d706c65a08080800004160a');
INSERT INTO terms_idx VALUES (1, x'', 2);
INSERT INTO terms_idx VALUES (2, x'', 2);
INSERT INTO terms_idx VALUES (3, x'', 2);
INSERT INTO terms_idx VALUES (4, x'', 2);
INSERT INTO terms_idx VALUES (5, x'', 2);
INSERT INTO terms_config VALUES ('version', 4);
PRAGMA user_version = 4;
COMMIT;
