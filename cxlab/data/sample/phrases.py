"""What customers say: clauses by language, theme and whether they please, written for this company.

Everyday Indonesian and English with negation, intensifiers and slang. A clause keeps its
valence whatever it stands beside; nobody is named.
"""

__all__ = ["BUT", "CLAUSES", "CLOSINGS", "EMOJI", "LANGUAGES", "OPENINGS", "PLEASES", "THEMES"]

LANGUAGES = ("id", "en")
THEMES = ("delivery", "quality", "price", "staff", "app", "stock", "subscription")
PLEASES = ("pleases", "displeases")

# Six clauses for each language, theme, and whether it pleases.
CLAUSES: dict[tuple[str, str, str], tuple[str, ...]] = {
    ("id", "delivery", "pleases"): (
        "pengiriman cepat banget", "paket sampai tepat waktu", "kurirnya ramah dan cepat",
        "barang datang lebih awal dari janji", "pengirimannya gak pernah telat",
        "kemasan rapi dan aman sampai rumah"),
    ("id", "delivery", "displeases"): (
        "pengirimannya telat banget", "paket baru sampai setelah berhari-hari",
        "pengiriman tidak sesuai janji", "kurirnya lama sekali", "gak sampai-sampai paketnya",
        "kemasan penyok waktu diterima"),
    ("id", "quality", "pleases"): (
        "kopinya enak banget", "rasanya mantap dan segar", "aroma bijinya wangi sekali",
        "kualitas kopinya gak mengecewakan", "seduhannya pas dan tidak asam",
        "biji kopinya baru disangrai"),
    ("id", "quality", "displeases"): (
        "kopinya gak enak", "rasanya hambar sekali", "bijinya terasa apek",
        "kopinya gosong dan pahit banget", "kualitasnya tidak seperti dulu",
        "gilingannya kasar, gak sesuai pesanan"),
    ("id", "price", "pleases"): (
        "harganya ramah di kantong", "murah untuk rasa seenak ini", "promonya menarik banget",
        "harga sepadan dengan rasanya", "harganya gak mahal", "diskonnya lumayan"),
    ("id", "price", "displeases"): (
        "harganya kemahalan", "mahal banget sekarang", "harga naik terus",
        "ongkirnya tidak masuk akal", "promonya gak bisa dipakai", "gak sepadan dengan harganya"),
    ("id", "staff", "pleases"): (
        "baristanya ramah banget", "pelayanannya cepat dan sopan", "stafnya sabar menjelaskan",
        "adminnya tanggap sekali", "pelayan tokonya gak pernah cemberut",
        "timnya membantu sampai selesai"),
    ("id", "staff", "displeases"): (
        "baristanya cuek banget", "pelayanannya lambat sekali", "adminnya gak membalas",
        "stafnya tidak paham pertanyaan saya", "harus menjelaskan ulang terus",
        "pelayannya kurang ramah"),
    ("id", "app", "pleases"): (
        "aplikasinya gampang dipakai", "pesan lewat aplikasi cepat banget",
        "tampilan aplikasinya jelas", "aplikasinya gak ribet", "bayar di aplikasi lancar",
        "fitur lacak pesanannya berguna sekali"),
    ("id", "app", "displeases"): (
        "aplikasinya sering error", "aplikasi lemot banget", "gak bisa login ke aplikasi",
        "tombol bayarnya tidak berfungsi", "aplikasinya ribet sekali",
        "keranjang belanja kosong sendiri"),
    ("id", "stock", "pleases"): (
        "stoknya selalu ada", "varian favorit saya gak pernah kosong", "pilihannya lengkap banget",
        "semua pesanan tersedia", "stok cepat diisi lagi", "biji langka pun tersedia"),
    ("id", "stock", "displeases"): (
        "stoknya kosong terus", "sudah bayar ternyata barang habis", "varian favorit saya gak ada",
        "pesanan dibatalkan karena habis", "barang diganti tanpa tanya",
        "sering banget kehabisan stok"),
    ("id", "subscription", "pleases"): (
        "langganannya praktis banget", "langganan gampang diatur", "kopi langganan selalu pas",
        "bisa jeda langganan kapan saja", "langganannya gak bikin repot",
        "paket langganannya untung sekali"),
    ("id", "subscription", "displeases"): (
        "susah banget berhenti langganan", "tagihan langganan salah lagi",
        "langganan ditagih dua kali", "jadwal langganan tidak bisa diubah",
        "langganannya gak fleksibel", "paket langganan kurang terus"),
    ("en", "delivery", "pleases"): (
        "delivery was really fast", "the parcel came right on time", "the courier was friendly",
        "it arrived a day early", "shipping has never been late", "it came well packed"),
    ("en", "delivery", "displeases"): (
        "delivery took forever", "the parcel came days late", "shipping was not as promised",
        "the courier never showed up", "my order still has not arrived", "the box was crushed"),
    ("en", "quality", "pleases"): (
        "the coffee is so good", "the beans are fresh", "it tastes rich and smooth",
        "the roast never disappoints", "the aroma is lovely", "not bitter at all, just right"),
    ("en", "quality", "displeases"): (
        "the coffee is not good", "the beans taste stale", "it was burnt and really bitter",
        "the grind was wrong", "quality is not what it was", "it tastes like nothing"),
    ("en", "price", "pleases"): (
        "great value for money", "the price is fair", "the discount was really nice",
        "not expensive for what you get", "cheaper than elsewhere", "the promo was worth it"),
    ("en", "price", "displeases"): (
        "it is way too expensive", "prices keep going up", "shipping costs too much",
        "not worth the money", "the voucher did not work", "so overpriced now"),
    ("en", "staff", "pleases"): (
        "the staff are so kind", "the barista knew a lot", "support answered at once",
        "service was quick and polite", "they helped until it was solved",
        "the team is never in a bad mood"),
    ("en", "staff", "displeases"): (
        "the staff were rude", "support never answered", "I had to explain it three times",
        "service was really slow", "nobody could help me", "the barista did not care"),
    ("en", "app", "pleases"): (
        "the app is easy to use", "ordering in the app is quick", "the app looks really clear",
        "paying in the app just works", "tracking in the app is handy", "no trouble with the app"),
    ("en", "app", "displeases"): (
        "the app keeps crashing", "the app is so slow", "I cannot log in to the app",
        "the pay button does not work", "the app is confusing", "my cart emptied itself"),
    ("en", "stock", "pleases"): (
        "everything was in stock", "my favourite is always there", "such a wide choice",
        "never sold out when I order", "they restock quickly", "even rare beans are available"),
    ("en", "stock", "displeases"): (
        "always out of stock", "I paid and then it was sold out", "my favourite is never there",
        "they cancelled it for lack of stock", "they sent something else without asking",
        "half of my order was missing"),
    ("en", "subscription", "pleases"): (
        "the subscription is so handy", "easy to pause the subscription",
        "the beans plan is always right", "changing my plan was easy",
        "the subscription is no hassle", "the plan really pays off"),
    ("en", "subscription", "displeases"): (
        "cancelling the subscription is a pain", "my plan was billed twice",
        "the subscription invoice is wrong again", "I could not change my plan",
        "the subscription is not flexible", "the monthly bag never lasts"),
}  # fmt: skip

OPENINGS = {
    "id": ("", "", "", "jujur ", "menurut saya ", "kali ini "),
    "en": ("", "", "", "honestly, ", "to me, ", "this time "),
}
BUT = {
    "id": (" tapi ", ", tapi ", ", sayangnya ", ", cuma "),
    "en": (" but ", ", but ", ", yet ", ", although "),
}
# By language and valence: displeased, mixed, pleased.
CLOSINGS = {
    ("id", -1): ("", ".", "!", ", kecewa.", " nih", ". Tolong diperbaiki"),
    ("id", 0): ("", ".", " sih", ".", ", lumayan lah", ""),
    ("id", 1): ("", ".", "!", ", mantap!", " dong", ". Terima kasih"),
    ("en", -1): ("", ".", "!", ", disappointed.", "...", ". Please fix it"),
    ("en", 0): ("", ".", ", so so.", ".", ", I guess", ""),
    ("en", 1): ("", ".", "!", ", love it!", " :)", ". Thank you"),
}
EMOJI = {-1: ("😡", "😞", "👎"), 0: ("😐", "🤔", "🤷"), 1: ("😍", "👍", "☕")}
