"""Files of any format read as Markdown; hostile ones included."""
