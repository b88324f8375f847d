"""The suite of OGC API - Processes, part 1, and the schemas that it asks for."""

from tests.conformance.testng import JavaSuite

SCHEMAS = "ogcapi-processes/core/openapi"
"""Below ``DATACUBE_CITE``; the suite asks schemas.opengis.net for them."""

PROCESSES = JavaSuite(
    "processes10",
    "OGC API - Processes 1.0",
    "ets-ogcapi-processes10",
    "75abd1f",
    "org.opengis.cite.ogcapiprocesses10.TestNGController",
    "/ogcapi",
    "iut",
    (("echoprocessid", "echo"), ("processtestlimit", "5")),
    (
        "com.fasterxml.jackson.core:jackson-databind:2.18.0",
        "com.fasterxml.jackson.dataformat:jackson-dataformat-yaml:2.18.0",
        "com.networknt:json-schema-validator:1.0.66",
        "com.reprezen.kaizen:openapi-parser:4.0.4",
        "commons-io:commons-io:2.17.0",
        "io.rest-assured:rest-assured:5.5.0",
        "junit:junit:4.13.2",
        "org.glassfish.jersey.connectors:jersey-apache-connector:3.1.8",
        "org.openapi4j:openapi-operation-validator:1.0.7",
    ),
    "series",
    "processes.yaml",
    "tests.conformance.echo",
    (SCHEMAS,),
)
