-- Beside the control database, which the image makes itself.
create database spillway_store owner spillway;
