CREATE TABLE "former_links" (
	"token_hash" bytea PRIMARY KEY,
	"invitation_id" bigint NOT NULL,
	"replaced_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
ALTER TABLE "former_links" ADD CONSTRAINT "former_links_invitation_id_invitations_id_fkey" FOREIGN KEY ("invitation_id") REFERENCES "invitations"("id");