SELECT p.name FROM {people} p WHERE p.id = $1
