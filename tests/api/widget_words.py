"""What the scripted conversation of the widget's tests says."""

from api.routes.widget import Look

NOW = "2026-11-22T09:15:00Z"
DISCLOSURE = {
    "ru": "Здравствуйте! Я автоматический помощник магазина «Фонарь». Отвечаю по документам компании и могу"
    " посмотреть ваш заказ, если вы разрешите. Человека можно позвать в любой момент.",
    "en": "Hi! I'm Fonar's automated assistant. I answer from company documents and can look up your order if"
    " you allow it. You can ask for a person at any time.",
}
CONSENT = {
    "purpose": "orders:read",
    "text": "Чтобы ответить, мне нужно посмотреть ваши заказы: номер, состав, статус. Больше ни для чего я эти"
    " данные не использую. Разрешаете?",
    "gives": "Скажу, где заказ, когда приедет и что в нём.",
    "version": "2026-11-01",
}
DELIVERY = {"document": "delivery", "passage": "delivery#2", "title": "Доставка по России · Сроки и цены"}
RETURNS = {"document": "returns", "passage": "returns#1", "title": "Возврат товара"}
PASSAGES = {
    "delivery#2": {
        "document": "delivery",
        "title": "Доставка по России",
        "heading": "Сроки и цены",
        "text": "Курьер по Нижнему Новгороду стоит 290 ₽. Заказ от 3 000 ₽ доставляем бесплатно.\n\n"
        "Курьер приезжает с 10:00 до 21:00 и звонит за час.\n\nС собой нужны:\n\n• паспорт;\n\n• номер заказа.\n"
        "| Куда | Курьер |\n| Нижний Новгород | 290 ₽ |\n| Москва | 390 ₽ |",
        "page": 2,
    },
    "returns#1": {
        "document": "returns",
        "title": "Возврат товара",
        "heading": "Срок",
        "text": "Вернуть товар можно за 14 дней после получения, если он не был в употреблении.",
    },
}
LOOK = Look(
    company={"ru": "Фонарь", "en": "Fonar"},
    languages=("ru", "en"),
    accent="#0B5FA5",
    avatar={"ru": "Ф", "en": "F"},
    disclosure={"ru": DISCLOSURE["ru"], "en": DISCLOSURE["en"]},
    quick_replies={
        "ru": ("Где мой заказ?", "Сколько стоит доставка?", "Как вернуть товар?"),
        "en": ("Where is my order?", "How much is delivery?", "How do I return something?"),
    },
)
