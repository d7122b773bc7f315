//! Answers what a client of the protocol asks.

use std::sync::Arc;

use rmcp::ServerHandler;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, ErrorData, Implementation,
    ListResourceTemplatesResult, ListResourcesResult, ListToolsResult, PaginatedRequestParams,
    ReadResourceRequestParams, ReadResourceResponse, ReadResourceResult, ServerCapabilities,
    ServerConfig, Tool,
};
use rmcp::service::{RequestContext, RoleServer};
use serde_json::Value;

use crate::arguments::Arguments;
use crate::calls::{Call, Client};
use crate::tools::{VERBS, Verb, find};
use crate::{resources, results};

const INSTRUCTIONS: &str = include_str!("instructions.md");

#[derive(Clone, Debug)]
pub(crate) struct Server {
    client: Arc<Client>,
}

impl Server {
    pub(crate) fn new(client: Client) -> Self {
        Self { client: Arc::new(client) }
    }

    async fn carry_out(&self, verb: &Verb, params: CallToolRequestParams) -> Result<Value, String> {
        let given = params.arguments.unwrap_or_default();
        let given = Arguments::checked(given, &(verb.input)())?;
        let call = (verb.call)(&given)?;
        let words = Call::of(&[]).option("project", given.text("project")?).words;
        let call = Call { words: [words, call.words].concat(), ..call };
        let result = self.client.runs(&call).await?;
        match result["error"]["message"].as_str() {
            // A refused resolution is told with what it would have been.
            Some(why) if verb.name == "conflict_apply" => Err(why.to_owned()),
            _ => Ok(result),
        }
    }
}

impl ServerHandler for Server {
    fn get_info(&self) -> ServerConfig {
        let capabilities = ServerCapabilities::builder().enable_tools().enable_resources().build();
        let own = Implementation::new("mirrord", env!("CARGO_PKG_VERSION")).with_title("mirrord");
        ServerConfig::new(capabilities).with_server_info(own).with_instructions(INSTRUCTIONS)
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        Ok(ListToolsResult::with_all_items(VERBS.iter().map(Verb::tool).collect()))
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        find(name).map(Verb::tool)
    }

    async fn call_tool(
        &self,
        params: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let Some(verb) = find(&params.name) else {
            let why = format!("there is no tool {:?}", params.name);
            return Err(ErrorData::invalid_params(why, None));
        };
        // A call that is taken back ends its process, and the daemon lets go of the job.
        let answer = tokio::select! {
            answer = self.carry_out(verb, params) => answer,
            () = context.ct.cancelled() => Err("cancelled".to_owned()),
        };
        Ok(results::told(answer, verb.is_whole).into())
    }

    async fn list_resource_templates(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        Ok(ListResourceTemplatesResult::with_all_items(vec![resources::template()]))
    }

    /// Outside of all projects there is nothing to list.
    async fn list_resources(
        &self,
        params: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        let cursor = params.and_then(|params| params.cursor);
        let start = match cursor.as_deref().map(str::parse::<usize>) {
            None => 0,
            Some(Ok(start)) => start,
            Some(Err(_)) => return Err(ErrorData::invalid_params("no such page", None)),
        };
        let call = Call::of(&["status"]).flag("long", true).flag("offline", true);
        let status = self.client.runs(&call).await.unwrap_or_default();
        let (listed, next) = resources::listed(&status, start);
        let mut page = ListResourcesResult::with_all_items(listed);
        page.next_cursor = next.map(|next| next.to_string());
        Ok(page)
    }

    async fn read_resource(
        &self,
        params: ReadResourceRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        let call = resources::reads(&params.uri).ok_or_else(|| {
            let why = format!("an address is {}", resources::TEMPLATE);
            ErrorData::resource_not_found(why, None)
        })?;
        let shown = self.client.runs(&call).await;
        let shown = shown.map_err(|why| ErrorData::resource_not_found(why, None))?;
        let contents = vec![resources::content(&params.uri, &shown)];
        Ok(ReadResourceResult::new(contents).into())
    }
}
