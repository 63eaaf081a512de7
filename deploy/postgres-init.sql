-- Run once, by the image, when the database is made. A role of its own that owns its database and is no superuser.
\getenv password GATEHOUSE_PASSWORD
create role gatehouse login password :'password';
create database gatehouse owner gatehouse;
revoke connect, temporary on database gatehouse from public;
